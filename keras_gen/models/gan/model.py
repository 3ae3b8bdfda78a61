"""The generative adversarial network: a generator against a discriminator, under any objective and penalty.

Long, because packing, penalties, classes and augmentation meet in the two losses; the other GANs inherit them.
"""

import warnings
from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from keras_gen.distributions import Prior
from keras_gen.losses import adversarial, packing
from keras_gen.losses.diff_augment import check_names, diff_augment, noise_size

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import ClassConditional
from ..core.diagnostics import diagnose_discriminator
from ..core.endpoint import Endpoint, Port
from ..core.penalized import Penalized
from ..core.player import Player
from ..core.sample_diversity import sample_diversity


@keras.saving.register_keras_serializable("keras_gen")
class GAN(ClassConditional, Penalized, AdversarialModel):
    """A generator turns draws of a prior into images; a discriminator tells them from real ones.

    Each step the discriminator moves, then the generator, against the moved discriminator and on the same generated
    images. Reported: both losses; `discriminator_accuracy`, 1/2 where it cannot tell and 1 where it has won; and
    `sample_diversity`, the deviation of generated images from their mean over that of real ones (0: all are alike).

    Args:
        generator: codes [batch, size] -> images [batch, height, width, channels] in [0, 1]; with `num_classes`,
            [codes, one-hot labels].
        discriminator: images (`packing` times their channels) -> logits [batch, 1]; with `num_classes`, [images,
            one-hot labels].
        prior: as a VAE's; None is the isotropic standard normal.
        objective: `"non_saturating"`, `"minimax"`, `"least_squares"`, `"hinge"`, `"wasserstein"`,
            `"relativistic_average"`, or a dict with `name` and arguments such as `label_smoothing`.
        penalty: None, `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, or a dict with `name` and arguments such as `weight`
            or `gamma`, in the papers' units (of images in [-1, 1]); see `keras_gen.losses.penalties`.
        n_critic: updates of the discriminator in a step, >= 1, each on its own part of the batch.
        simultaneous: both players move at once, from one pass of the discriminator over the generated images.
        packing: examples that the discriminator judges together, >= 1; the batch must be a multiple.
        augment: differentiable augmentations of all that the discriminator sees, in evaluation too: `"color"`,
            `"translation"`, `"cutout"`. A penalty is of the augmented discriminator x -> C(T(x)): its gradient goes
            through the augmentation T to the image before it, as in the code of DiffAugment and StyleGAN2-ADA.
        ema: decay of the generator's moving average, or None; `generate` and the export use the average.
        num_classes: classes to condition on, or None.
        seed: of all noise.

    Raises:
        ValueError: for unknown names, numbers out of range, or networks that do not fit.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, algorithm 1. Mirza, Osindero 2014,
        arXiv:1411.1784 (classes). For the others see `keras_gen.losses`.
    """

    averaged_networks = ("generator",)
    call_fields = {}  # noise makes the images
    tracked = ("discriminator_loss", "generator_loss", "discriminator_accuracy", "sample_diversity")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        prior=None,
        objective: str | dict = "non_saturating",
        penalty: str | dict | None = None,
        n_critic: int = 1,
        simultaneous: bool = False,
        packing: int = 1,
        augment: Iterable[str] = (),
        ema: float | None = 0.999,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator, self.discriminator, self.num_classes = generator, discriminator, num_classes
        self.image_shape = tuple(generator.output_shape[1:])
        self.latent_size = int(generator.inputs[0].shape[-1])
        self.prior = Prior(size=self.latent_size) if prior is None else prior
        self.take_penalty(penalty)
        self.objective = objective
        self.n_critic, self.simultaneous, self.packing = n_critic, simultaneous, packing
        self.augment = check_names(augment)
        self._objective = adversarial.get(objective)
        self._check()
        self.shared_networks = ("generator", "discriminator") if simultaneous else ("generator",)
        self.average()

    # training

    def players(self):
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss, self.n_critic),
            Player("generator", (self.generator,), self.generator_loss),
        ]

    def shared_forward(self, batch, batch_noise, training):
        label = self.label_of(batch)
        z = self.prior.draw(batch_noise.noise(self.prior.noise))
        shared = {"generated": self.generated(z, label, training)}
        return shared | self.logits_made(batch, shared, batch_noise, training)

    def logits_made(self, batch, shared, batch_noise, training) -> dict:
        """The discriminator's one pass where both players move at once; else none, each makes its own."""
        if not self.simultaneous:
            return {}
        label = self.label_of(batch)
        return {
            "real_logits": self.judged(batch["image"], label, batch_noise, training),
            "generated_logits": self.judged(shared["generated"], label, batch_noise, training),
        }

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """The objective and the penalty, and how often the discriminator is right."""
        real, generated, label = batch["image"], shared["generated"], self.label_of(batch)
        logits = [self._judged_once(shared, name, batch, batch_noise, training) for name in ("real", "generated")]
        means = self._means(logits, global_batch)
        losses = self._objective.discriminator(*logits, **means)
        if self._penalty:
            logits_of = self._augmented_logits(label, batch_noise, training)
            losses += self.penalized(logits_of, real, generated, batch_noise, global_batch, self.packing)
        metrics = {
            "discriminator_accuracy": self._objective.accuracy(*logits, **means),
            "sample_diversity": tf.fill(tf.shape(losses), sample_diversity(generated, real, global_batch)),
        }
        return losses, metrics

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """What the objective asks of the generator."""
        generated = self._judged_once(shared, "generated", batch, batch_noise, training)
        real = None
        if self._objective.generator_needs_real:
            real = self._judged_once(shared, "real", batch, batch_noise, training)
        means = self._means([generated if real is None else real, generated], global_batch)
        return self._objective.generator(generated, real_logits=real, **means), {}

    def judged(self, images, label, batch_noise, training: bool) -> tf.Tensor:
        """The discriminator's logits of images, float32 [batch], augmented and packed as the model says."""
        logits_of = self._augmented_logits(label, batch_noise, training)
        return packing.spread(logits_of(packing.pack(tf.cast(images, tf.float32), self.packing)), self.packing)

    def _judged_once(self, shared, which: str, batch, batch_noise, training):
        if f"{which}_logits" in shared:
            return shared[f"{which}_logits"]
        images = batch["image"] if which == "real" else shared["generated"]
        return self.judged(images, self.label_of(batch), batch_noise, training)

    def _logits(self, packs, label, training: bool) -> tf.Tensor:
        """Packs [packs, ..., packing * channels] -> logits float32 [packs]."""
        inputs = [packs, packing.pack(label, self.packing)] if self.num_classes else packs
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)[:, 0]

    def _augmented_logits(self, label, batch_noise, training: bool) -> Callable:
        """The discriminator with its augmentations, of new noise: packs [packs, ...] -> logits float32 [packs]."""
        if not self.augment:
            return lambda packs: self._logits(packs, label, training)
        noise = batch_noise.uniform([noise_size(self.augment)])  # of images, each with an augmentation of its own

        def logits_of(packs):
            images = diff_augment(packing.unpack(packs, self.packing), self.augment, noise)
            return self._logits(packing.pack(images, self.packing), label, training)

        return logits_of

    def _means(self, logits, global_batch) -> dict:
        if not (self._objective.needs_means or self._objective.accuracy_needs_means):
            return {}
        real, generated = (global_batch.differentiable_mean(values) for values in logits)
        return {"real_mean": real, "generated_mean": generated}

    def diagnose(self, logs):
        return diagnose_discriminator(logs, critic=self._objective.name == "wasserstein")

    # use

    def generated(self, z, label=None, training: bool = False, network: keras.Model | None = None) -> tf.Tensor:
        """Codes [batch, size] -> images float32 in [0, 1], by the generator that is trained or by another."""
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        return tf.cast((network or self.generator)(inputs, training=training), tf.float32)

    def generate_from(self, noise, label=None):
        return self.generated(self.prior.draw(noise), label, network=self.inference_network("generator"))

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """The deploy path: base noise, {name: [batch, ...]} with `label` where conditional, or its tensor -> images."""
        noise = dict(inputs) if isinstance(inputs, dict) else {next(iter(self.noise())): inputs}
        return self.generate_from({name: noise[name] for name in self.noise()}, self.label_of(noise))

    def endpoints(self):
        """`generate`: base noise, and `label` where the model is conditional -> image."""
        inputs = {name: Port(noise.shape, noise.kind) for name, noise in self.noise().items()}
        if self.num_classes:
            inputs["label"] = Port((self.num_classes,), "label")

        def generate(label=None, **noise):
            return {"image": self.generate_from(noise, label)}

        return [Endpoint("generate", generate, inputs, {"image": Port(self.image_shape, "image")})]

    def _check(self):
        for name in ("n_critic", "packing"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1; received {value!r}")
        if self.simultaneous and self.n_critic > 1:
            raise ValueError(f"simultaneous=True moves both players once; received n_critic={self.n_critic}")
        if self._penalty and _joins_examples(self.discriminator):
            warnings.warn(
                "A gradient penalty is of each image alone, and this discriminator's batch normalization joins them: "
                "build it with normalization 'layer', 'spectral' or 'none'",
                stacklevel=3,
            )
        wanted = 2 if self.num_classes else 1
        for role in ("generator", "discriminator"):
            inputs = getattr(self, role).inputs
            if len(inputs) != wanted:
                raise ValueError(
                    f"num_classes={self.num_classes}: the {role} must take {wanted} input(s) "
                    f"({'the one-hot label second' if self.num_classes else 'no label'}); it takes {len(inputs)}"
                )
        packed = (*self.image_shape[:-1], self.image_shape[-1] * self.packing)
        shown = tuple(self.discriminator.inputs[0].shape[1:])
        if shown != packed or tuple(self.discriminator.output_shape[1:]) != (1,):
            raise ValueError(
                f"The generator makes images {self.image_shape}: with packing={self.packing} the discriminator must "
                f"take {packed} and give one logit [batch, 1]; it takes {shown} and gives "
                f"{tuple(self.discriminator.output_shape)}"
            )


def _joins_examples(network: keras.Model) -> bool:
    return any(isinstance(layer, keras.layers.BatchNormalization) for layer in network._flatten_layers())
