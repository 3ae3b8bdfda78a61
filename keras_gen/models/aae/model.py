"""The adversarial autoencoder: a discriminator of codes matches their distribution to any prior."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gen.distributions import LatentPrior, Prior, check_prior
from keras_gen.distributions.noise import Noise
from keras_gen.losses import adversarial, reconstruction

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import class_indices
from ..core.defaults import OBJECTIVE
from ..core.encoder_decoder import EncoderDecoder
from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.inputs import Shape
from ..core.logit_means import refuse_logit_means
from ..core.player import Player
from .preset import LOSS


@keras.saving.register_keras_serializable("keras_gen")
class AdversarialAutoencoder(EncoderDecoder, AdversarialModel):
    """An autoencoder with a discriminator that distinguishes its codes from samples of the prior.

    The prior must be sampled but needs no density. With `num_categories`, a code consists of a category y (a softmax)
    and a style z, each with its own discriminator. Without labels, y clusters the images; with labels for some of them,
    it is a classifier.

    Args:
        encoder: network from images to codes [batch, size]; with `num_categories` K, to a list: logits of y [batch, K]
            and z [batch, size]. They are two layers, since in an int8 file each then has the scale of its own values.
        decoder: network from codes [batch, size], or [batch, K + size], to logits [batch, height, width, channels].
        discriminator: network from codes z [batch, size] to logits [batch, 1]; with `prior_num_classes`, from
            [codes, one-hot labels].
        category_discriminator: network from y [batch, K] to logits [batch, 1]; required with `num_categories`.
        prior: prior of z, which maps base noise to samples: `keras_gen.Prior`, `PetalPrior` or `SwissRollPrior`; None
            is the isotropic standard normal.
        num_categories: K >= 2, or None.
        supervised: whether a batch also has `labeled_image` and `labeled_label`, and an additional player trains the
            encoder to classify them. Needs `num_categories`.
        prior_num_classes: number of classes of a label-informed prior: the discriminator is conditioned on an image's
            class, and the prior is sampled for this class (it must take `label`). The label -1 means no label. The
            encoder is not conditioned.
        input_noise: standard deviation of normal noise on the encoder's images in training, >= 0. The target of the
            reconstruction has no noise (a denoising autoencoder); a classifier trained on few labels generalizes better
            with it.
        loss: reconstruction loss, "mse" or "bernoulli".
        objective: adversarial objective of the discriminators, see `keras_gen.losses.adversarial`.
        ema: decay of the moving averages of encoder and decoder in (0, 1), which inference uses; None turns them off.
        seed: seed of all noise; None draws one.

    Raises:
        ValueError: for networks whose sizes do not match, or options out of range.

    Reference:
        Makhzani, Shlens, Jaitly, Goodfellow, Frey 2015, Adversarial Autoencoders, arXiv:1511.05644, sections 2, 2.3, 5
        (semi-supervised) and 6 (clustering).
    """

    image_shape: tuple[int, int, int]
    system = "aae"
    averaged_networks = ("encoder", "decoder")
    shared_networks = ("encoder",)
    label_setting = "prior_num_classes"
    config_attributes = {"loss": "reconstruction_loss", "num_classes": None}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        *,
        category_discriminator: keras.Model | None = None,
        prior: LatentPrior | None = None,
        num_categories: int | None = None,
        supervised: bool = False,
        prior_num_classes: int | None = None,
        input_noise: float = 0.0,
        loss: str = LOSS,
        objective: str | dict = OBJECTIVE,
        ema: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        self.tracked = _tracked(num_categories, supervised)  # the base's constructor creates the trackers
        super().__init__(encoder, decoder, ema=ema, seed=seed, **kwargs)
        self.discriminator, self.category_discriminator = discriminator, category_discriminator
        self.num_categories, self.supervised, self.prior_num_classes = num_categories, supervised, prior_num_classes
        self.input_noise, self.reconstruction_loss, self.objective = input_noise, loss, objective
        self.style_size = self.latent_size - (num_categories or 0)
        self.prior = check_prior(
            Prior(size=self.style_size) if prior is None else prior,
            self.style_size,
            f"styles (codes of {self.latent_size}, num_categories={num_categories})",
        )
        self._reconstruction_loss, self._objective = reconstruction.get(loss), adversarial.get(objective)
        self._check_options()
        self._check_networks()
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        players = [
            Player("reconstruction", (self.encoder, self.decoder), self.reconstruction),
            Player("discriminator", (self.discriminator,), self.discriminator_loss),
        ]
        if self.num_categories:
            players.append(Player("category_discriminator", (self.category_discriminator,), self.category_loss))
        players.append(Player("regularization", (self.encoder,), self.regularization))
        if self.supervised:
            logits = keras.Model(self.encoder.inputs, self.encoder.outputs[0])  # without the layer of the styles
            players.append(Player("classification", (logits,), self.classification))
        return players

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """Returns the codes: all players share one encoder pass, with the weights before the step."""
        return self._encoded_with_noise(batch["image"], batch_noise, training)

    def reconstruction(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the reconstruction loss, summed over pixels."""
        logits = self.decoded(self.code_of(shared), training=training)
        return self._reconstruction_loss(self.target_of(batch), logits), {}

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the discriminator's loss of prior samples (real) against styles (generated)."""
        label = self.prior_label(batch)
        noise = batch_noise.noise(self.prior.noise)
        real = self.prior.transform(noise) if label is None else self.prior.transform(noise, label=label)
        logits = self.discriminate(real, label, training), self.discriminate(shared["style"], label, training)
        return self._objective.discriminator(*logits), {"discriminator_accuracy": self._objective.accuracy(*logits)}

    def category_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the loss of one-hot categories (real) against the encoder's softmax (generated)."""
        real = self._category_logits(batch_noise.one_hot((self.num_categories,)), training)
        generated = self._category_logits(tf.nn.softmax(shared["logits"]), training)
        return self._objective.discriminator(real, generated), {}

    def regularization(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the encoder's adversarial loss."""
        losses = self._objective.generator(self.discriminate(shared["style"], self.prior_label(batch), training))
        if self.num_categories:
            logits = self._category_logits(tf.nn.softmax(shared["logits"]), training)
            losses += self._objective.generator(logits)
        return losses, {}

    def classification(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the cross-entropy of the labeled images' classes, in nats."""
        if "labeled_image" not in batch or "labeled_label" not in batch:
            raise ValueError(
                "Expected a batch with labeled_image and labeled_label (supervised=True); received "
                f"{', '.join(sorted(batch))}"
            )
        logits = self._encoded_with_noise(batch["labeled_image"], batch_noise, training)["logits"]
        label = class_indices(batch["labeled_label"], self.num_categories)
        correct = tf.cast(tf.argmax(logits, axis=1, output_type=tf.int32) == label, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits), {"labeled_accuracy": correct}

    def _encoded_with_noise(self, image, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        if training and self.input_noise:
            image = image + self.input_noise * batch_noise.normal(self.image_shape)
        return self.encoded(image, training=training)

    def discriminate(self, codes: Any, label: Any, training: bool) -> tf.Tensor:
        """Returns the discriminator's logits of styles, float32 [batch].

        Args:
            codes: styles [batch, size].
            label: one-hot labels [batch, prior_num_classes], or None.
            training: passed to the discriminator.
        """
        inputs = codes if label is None else [codes, label]
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)[:, 0]

    def _category_logits(self, categories, training: bool) -> tf.Tensor:
        return tf.cast(self.category_discriminator(categories, training=training), tf.float32)[:, 0]

    def prior_label(self, batch: dict) -> tf.Tensor | None:
        """Returns one-hot labels [batch, classes], zeros for the label -1; None without a label-informed prior."""
        if not self.prior_num_classes:
            return None
        if "label" not in batch:
            raise ValueError(
                f"Expected a batch with 'label' for a label-informed prior; received {', '.join(sorted(batch))}"
            )
        return tf.one_hot(class_indices(batch["label"], self.prior_num_classes, lowest=-1), self.prior_num_classes)

    # inference

    def encoded(self, image: Any, label: Any = None, training: bool = False) -> dict[str, tf.Tensor]:
        """Returns `style` and, with categories, `logits`, in float32; inference uses the moving average."""
        network = self.encoder if training else self.inference_network("encoder")
        names = ("logits", "style") if self.num_categories else ("style",)
        outputs = keras.tree.flatten(network(image, training=training))
        return {name: tf.cast(output, tf.float32) for name, output in zip(names, outputs, strict=True)}

    def decoded(self, z: Any, label: Any = None, training: bool = False) -> tf.Tensor:
        """Returns the decoder's output in float32; inference uses the moving average."""
        network = self.decoder if training else self.inference_network("decoder")
        return tf.cast(network(z, training=training), tf.float32)

    def code_of(self, encoded: dict[str, tf.Tensor]) -> tf.Tensor:
        if not self.num_categories:
            return encoded["style"]
        # a sum and not tf.concat: in an int8 file the parts of a concatenation share one scale, which the softmax's
        # kernel does not follow, and its probabilities come out wrong
        category = tf.pad(tf.nn.softmax(encoded["logits"]), [[0, 0], [0, self.style_size]])
        return category + tf.pad(encoded["style"], [[0, 0], [self.num_categories, 0]])

    def image_of(self, decoded: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid(decoded)

    @property
    def optional_image_fields(self) -> dict[str, Shape | None]:
        labeled = {"labeled_image": self.image_shape} if self.supervised else {}
        return {**super().optional_image_fields, **labeled}

    @property
    def label_classes(self) -> int | None:
        return self.prior_num_classes

    def classify(self, image: Any) -> tf.Tensor:
        """Returns the probabilities of the categories, float32 [batch, num_categories].

        Args:
            image: images [batch, height, width, channels] in [0, 1].

        Raises:
            ValueError: for a model without categories, or images outside [0, 1] or of another shape.
        """
        if not self.num_categories:
            raise ValueError("Expected a model with categories; received num_categories=None: build it with a number")
        image = self.images_of("image", image, in_graph=False)
        # not from the code: in an int8 file its probabilities would have the quantization steps of the styles
        return tf.nn.softmax(self.encoded(image)["logits"])

    def noise(self) -> dict[str, Noise]:
        category = {"category": Noise("one_hot", (self.num_categories,))} if self.num_categories else {}
        return {**self.prior.noise, **category}

    def codes_from(self, noise: dict) -> tf.Tensor:
        style = self.prior.transform({name: noise[name] for name in self.prior.noise})
        return tf.concat([noise["category"], style], axis=1) if self.num_categories else style

    def sampler(self) -> Callable[[dict], tf.Tensor]:
        return self.codes_from

    def endpoints(self) -> list[Endpoint]:
        """Returns `encode`, `decode`, `reconstruct`, `generate` and, with categories, `classify`."""
        endpoints = super().endpoints()
        if self.num_categories:
            categories = {"category": Port((self.num_categories,), "label")}
            image = {"image": Port(self.image_shape, "image")}
            endpoints.append(Endpoint("classify", lambda image: {"category": self.classify(image)}, image, categories))
        return endpoints

    def _check_options(self) -> None:
        if bool(self.num_categories) != (self.category_discriminator is not None):
            raise ValueError(
                "Expected num_categories and category_discriminator together; received "
                f"num_categories={self.num_categories} and category_discriminator={self.category_discriminator}"
            )
        if self.supervised and not self.num_categories:
            raise ValueError(
                "Expected num_categories, the number of classes to learn, with supervised=True; received None"
            )
        if not 0 <= self.input_noise < float("inf"):
            raise ValueError(f"Expected input_noise as a standard deviation >= 0; received {self.input_noise!r}")
        refuse_logit_means(self._objective)

    def _check_networks(self) -> None:
        units = [output.shape[-1] for output in self.encoder.outputs]
        expected = [size for size in (self.num_categories, self.style_size) if size]
        if units != expected:
            raise ValueError(
                f"Expected an encoder with outputs of {expected} units (a decoder of codes of {self.latent_size}, "
                f"num_categories={self.num_categories}); received {units}"
            )
        outputs = tuple(self.decoder.output_shape[1:])
        if outputs != self.image_shape:
            raise ValueError(
                f"Expected a decoder with outputs {self.image_shape}, the shape of the encoder's images; received "
                f"{outputs}"
            )
        expected = 2 if self.prior_num_classes else 1
        if len(self.discriminator.inputs) != expected:
            raise ValueError(
                f"Expected a discriminator with {expected} input(s) (prior_num_classes={self.prior_num_classes}); "
                f"received {len(self.discriminator.inputs)}"
            )


def _tracked(num_categories: int | None, supervised: bool) -> tuple[str, ...]:
    names = ["reconstruction_loss", "discriminator_loss", "discriminator_accuracy", "regularization_loss"]
    if num_categories:
        names.append("category_discriminator_loss")
    if supervised:
        names += ["classification_loss", "labeled_accuracy"]
    return tuple(names)
