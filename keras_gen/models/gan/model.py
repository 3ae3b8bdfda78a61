"""The generative adversarial network: a generator and a discriminator, with any objective and gradient penalty."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gen.distributions import LatentPrior, Prior, check_prior
from keras_gen.layers.adaptive_probability import AdaptiveProbability
from keras_gen.losses import adversarial, packing
from keras_gen.losses.diff_augment import check_names, diff_augment, noise_size

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import ClassConditional
from ..core.defaults import EMA, OBJECTIVE
from ..core.diagnostics import diagnose_discriminator
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.logit_means import logit_means
from ..core.penalized import Penalized
from ..core.player import Player
from ..core.sample_diversity import sample_diversity

ADAPTIVE = "adaptive"
AUGMENT_PROBABILITY = "augment_probability"


@keras.saving.register_keras_serializable("keras_gen")
class GAN(ClassConditional, Penalized, AdversarialModel):
    """A generator that maps latent codes to images, and a discriminator that distinguishes them from real images.

    Each step updates the discriminator first, then the generator against the updated discriminator, on the same
    generated images. The model reports both losses; `discriminator_accuracy`, which is 1/2 where the discriminator
    cannot distinguish the images and 1 where it always does; and `sample_diversity`, the standard deviation of
    generated images from their mean divided by that of real images (0: all generated images are equal).

    Args:
        generator: Codes [batch, size] -> images [batch, height, width, channels] in [0, 1]. With `num_classes`, its
            inputs are [codes, one-hot labels].
        discriminator: Images with `packing` times their channels -> logits [batch, 1]. With `num_classes`, its inputs
            are [images, one-hot labels].
        prior: Distribution of the codes, as a VAE's; None is the standard normal distribution.
        objective: `"non_saturating"`, `"minimax"`, `"least_squares"`, `"hinge"`, `"wasserstein"`,
            `"relativistic_average"`, or a dict with `name` and arguments such as `label_smoothing`.
        penalty: None, `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, or a dict with `name` and arguments such as `weight`
            or `gamma`, in the papers' units (of images in [-1, 1]); see `keras_gen.losses.penalties`.
        n_critic: Discriminator updates in a step, >= 1, each on its own part of the batch.
        simultaneous: Whether both players are updated at once, from one pass of the discriminator.
        packing: Examples that the discriminator classifies together, >= 1; the batch size must be a multiple.
        augment: Differentiable augmentations of all images that the discriminator sees, in evaluation too: `"color"`,
            `"translation"`, `"cutout"`. A penalty applies to the augmented discriminator x -> C(T(x)): its gradient
            is taken through the augmentation T, as in the code of DiffAugment and StyleGAN2-ADA.
        augment_probability: Probability with which an image gets each of these augmentations, in [0, 1], or
            `"adaptive"`: it starts at 0 and follows how many real training images the discriminator recognizes, and
            the metric `augment_probability` reports it; a dict has `name` and `target` or `images`, see
            `keras_gen.layers.AdaptiveProbability`.
        ema: Decay of the generator's exponential moving average, in (0, 1), or None. `generate` and the export use the
            averaged generator.
        num_classes: Number of classes to condition on, or None.
        seed: Seed of all noise while training; None draws one.
        **kwargs: `label_names` of the classes, and Keras's `name` and `dtype`.

    Raises:
        ValueError: For unknown names, numbers out of range, or networks that do not fit.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, algorithm 1. Mirza, Osindero 2014,
        arXiv:1411.1784 (classes). For objectives, penalties and augmentations see `keras_gen.losses`.
    """

    averaged_networks = ("generator",)
    call_fields = {}  # `call` takes noise, not images
    tracked = ("discriminator_loss", "generator_loss", "discriminator_accuracy", "sample_diversity")
    image_shape: tuple[int, int, int]

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        prior: LatentPrior | None = None,
        objective: str | dict = OBJECTIVE,
        penalty: str | dict | None = None,
        n_critic: int = 1,
        simultaneous: bool = False,
        packing: int = 1,
        augment: Iterable[str] = (),
        augment_probability: float | str | dict = 1.0,
        ema: float | None = EMA,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator, self.discriminator, self.num_classes = generator, discriminator, num_classes
        self.image_shape = tuple(generator.output_shape[1:])
        self.latent_size = int(generator.inputs[0].shape[-1])
        self.prior = check_prior(Prior(size=self.latent_size) if prior is None else prior, self.latent_size)
        self.set_penalty(penalty)
        self.objective = objective
        self.n_critic, self.simultaneous, self.packing = n_critic, simultaneous, packing
        self.augment, self.augment_probability = check_names(augment), augment_probability
        self.adaptive_probability = self._adaptive_probability()
        self._objective = adversarial.get(objective)
        self._check()
        self.shared_networks = ("generator", "discriminator") if simultaneous else ("generator",)
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss, self.n_critic),
            Player("generator", (self.generator,), self.generator_loss),
        ]

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        label = self.label_of(batch)
        z = self.prior.transform(batch_noise.noise(self.prior.noise))
        generated = self.run_generator(z, label, training)
        return {"generated": generated} | self.shared_logits(batch, generated, batch_noise, training)

    def shared_logits(
        self, batch: dict, generated: tf.Tensor, batch_noise: BatchNoise, training: bool
    ) -> dict[str, tf.Tensor]:
        """Returns the logits that both players use if they are updated simultaneously, else an empty dict.

        Args:
            batch: The batch with the real images.
            generated: Generated images [batch, height, width, channels].
            batch_noise: Noise for the augmentations.
            training: Passed to the discriminator.
        """
        if not self.simultaneous:
            return {}
        label = self.label_of(batch)
        return {
            "real_logits": self.discriminate(batch["image"], label, batch_noise, training),
            "generated_logits": self.discriminate(generated, label, batch_noise, training),
        }

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the discriminator's loss with its penalty [batch], and its metrics."""
        real, generated, label = batch["image"], shared["generated"], self.label_of(batch)
        logits = [self._logits_of(kind, batch, shared, batch_noise, training) for kind in ("real", "generated")]
        means = logit_means(self._objective, *logits, global_batch)
        losses = self._objective.discriminator(*logits, **means)
        if self._penalty:
            logits_of = self._augmented_discriminator(label, batch_noise, training)
            losses += self.penalized(logits_of, real, generated, batch_noise, global_batch, self.packing)
        metrics = {
            "discriminator_accuracy": self._objective.accuracy(*logits, **means),
            "sample_diversity": tf.fill(tf.shape(losses), sample_diversity(generated, real, global_batch)),
        }
        if self.adaptive_probability is not None:
            if training:
                signs = self._objective.real_signs(*logits, **means)
                self.adaptive_probability.update(global_batch.mean(signs), global_batch.total)
            metrics[AUGMENT_PROBABILITY] = tf.fill(tf.shape(losses), self._probability())
        return losses, metrics

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the generator's adversarial loss [batch], and no metrics."""
        generated = self._logits_of("generated", batch, shared, batch_noise, training)
        real = None
        if self._objective.generator_needs_real:
            real = self._logits_of("real", batch, shared, batch_noise, training)
        means = logit_means(self._objective, generated if real is None else real, generated, global_batch)
        return self._objective.generator(generated, real_logits=real, **means), {}

    def discriminate(self, images: Any, label: Any, batch_noise: BatchNoise, training: bool) -> tf.Tensor:
        """Returns the discriminator's logits of images, float32 [batch], with the model's augmentation and packing.

        Args:
            images: [batch, height, width, channels] in [0, 1].
            label: one-hot labels [batch, num_classes], or None for a model without classes.
            batch_noise: Noise for the augmentations.
            training: Passed to the discriminator.
        """
        logits_of = self._augmented_discriminator(label, batch_noise, training)
        packs = packing.pack(tf.cast(images, tf.float32), self.packing)
        return packing.repeat_per_example(logits_of(packs), self.packing)

    def _logits_of(self, kind: str, batch: dict, shared: dict, batch_noise: BatchNoise, training: bool) -> tf.Tensor:
        """Returns the logits of the `"real"` or the `"generated"` images, from the shared pass if there is one."""
        if f"{kind}_logits" in shared:
            return shared[f"{kind}_logits"]
        images = batch["image"] if kind == "real" else shared["generated"]
        return self.discriminate(images, self.label_of(batch), batch_noise, training)

    def _logits(self, packs: Any, label: Any, training: bool) -> tf.Tensor:
        """Packs [packs, ..., packing * channels] -> logits float32 [packs]."""
        inputs = [packs, packing.pack(label, self.packing)] if self.num_classes else packs
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)[:, 0]

    def _augmented_discriminator(self, label: Any, batch_noise: BatchNoise, training: bool) -> Callable:
        """Returns the function packs [packs, ...] -> logits float32 [packs], with new noise for the augmentations."""
        if not self.augment:
            return lambda packs: self._logits(packs, label, training)
        noise = batch_noise.uniform([noise_size(self.augment)])  # each image of a pack has its own augmentation
        always = self.augment_probability == 1
        applied = None if always else batch_noise.uniform([len(self.augment)]) < self._probability()

        def logits_of(packs):
            images = diff_augment(packing.unpack(packs, self.packing), self.augment, noise, applied)
            return self._logits(packing.pack(images, self.packing), label, training)

        return logits_of

    def _probability(self) -> tf.Tensor:
        """Returns the current probability of an augmentation, a float32 scalar."""
        if self.adaptive_probability is None:
            return tf.constant(self.augment_probability, tf.float32)
        return tf.convert_to_tensor(self.adaptive_probability.probability)

    def _adaptive_probability(self) -> AdaptiveProbability | None:
        """Returns the state of an adaptive probability, and reports it as a metric; None for a number."""
        value = self.augment_probability
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not 0 <= value <= 1:
                raise ValueError(f"Expected augment_probability in [0, 1]; received {value!r}")
            adaptive = None
        else:
            options = dict(value) if isinstance(value, Mapping) else {"name": value}
            if options.pop("name", None) != ADAPTIVE or not {"target", "images"}.issuperset(options):
                raise ValueError(
                    f"Expected augment_probability as a number in [0, 1], {ADAPTIVE!r}, or a dict with this 'name' and "
                    f"'target' or 'images'; received {value!r}"
                )
            adaptive = AdaptiveProbability(**options, name=AUGMENT_PROBABILITY)
            self.tracked = (*self.tracked, AUGMENT_PROBABILITY)
            self.trackers[AUGMENT_PROBABILITY] = keras.metrics.Mean(name=AUGMENT_PROBABILITY)
        if value != 1 and not self.augment:
            raise ValueError(
                f"Expected augment with augment_probability={value!r}; received none. Choose augmentations, such as "
                "['color', 'translation', 'cutout'], or leave out augment_probability"
            )
        return adaptive

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        return diagnose_discriminator(logs, critic=self._objective.name == "wasserstein")

    # generation

    def run_generator(
        self, z: Any, label: Any = None, training: bool = False, network: keras.Model | None = None
    ) -> tf.Tensor:
        """Returns the images of codes, float32 [batch, height, width, channels] in [0, 1].

        Args:
            z: Codes [batch, size].
            label: one-hot labels [batch, num_classes], or None for a model without classes.
            training: Passed to the network.
            network: The generator to run; None is the one that is trained, not its moving average.
        """
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        return tf.cast((network or self.generator)(inputs, training=training), tf.float32)

    def generate_from(self, noise: dict, label: Any = None) -> tf.Tensor:
        return self.run_generator(self.prior.transform(noise), label, network=self.inference_network("generator"))

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns the images of base noise: {name: [batch, ...]}, with `label` if conditional, or one noise tensor."""
        noise = dict(inputs) if isinstance(inputs, dict) else {next(iter(self.noise())): inputs}
        return self.generate_from({name: noise[name] for name in self.noise()}, self.label_of(noise))

    def _check(self) -> None:
        for name in ("n_critic", "packing"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"Expected {name} as an integer >= 1; received {value!r}")
        if self.simultaneous and self.n_critic > 1:
            raise ValueError(
                "Expected n_critic=1 with simultaneous=True, which updates both players once in a step; received "
                f"n_critic={self.n_critic}"
            )
        if self._penalty and _has_batch_normalization(self.discriminator):
            warnings.warn(
                "A gradient penalty applies to each image alone, and this discriminator's batch normalization mixes "
                "the images of a batch: build it with normalization 'layer', 'spectral' or 'none'",
                stacklevel=3,
            )
        num_inputs = 2 if self.num_classes else 1
        for role in ("generator", "discriminator"):
            inputs = getattr(self, role).inputs
            if len(inputs) != num_inputs:
                raise ValueError(
                    f"Expected a {role} with {num_inputs} input(s) for num_classes={self.num_classes} "
                    f"({'the second is the one-hot label' if self.num_classes else 'no label'}); received one with "
                    f"{len(inputs)}"
                )
        packed = (*self.image_shape[:-1], self.image_shape[-1] * self.packing)
        input_shape = tuple(self.discriminator.inputs[0].shape[1:])
        if input_shape != packed or tuple(self.discriminator.output_shape[1:]) != (1,):
            raise ValueError(
                f"Expected a discriminator from {packed} (the generator's images {self.image_shape} with "
                f"packing={self.packing}) to one logit [batch, 1]; received one from {input_shape} to "
                f"{tuple(self.discriminator.output_shape)}"
            )


def _has_batch_normalization(network: keras.Model) -> bool:
    return any(isinstance(layer, keras.layers.BatchNormalization) for layer in network._flatten_layers())
