"""The adversarial autoencoder: a discriminator on the codes shapes their distribution after any prior.

Long, because its four phases (reconstruction, discriminators, regularization, classification) share what is encoded
once.
"""

import keras
import tensorflow as tf

from keras_gen.distributions import Prior
from keras_gen.distributions.noise import Noise
from keras_gen.losses import adversarial, bernoulli_cross_entropy, squared_error

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import class_indices
from ..core.encoder_decoder import EncoderDecoder
from ..core.endpoint import Endpoint, Port
from ..core.player import Player

RECONSTRUCTIONS = {"mse": squared_error, "bernoulli": bernoulli_cross_entropy}


@keras.saving.register_keras_serializable("keras_gen")
class AdversarialAutoencoder(EncoderDecoder, AdversarialModel):
    """An autoencoder whose codes a discriminator cannot tell from draws of the prior.

    The prior needs draws alone, no density. With `num_categories`, a code is a category y (a softmax) and a style z,
    each with a discriminator of its own: without labels y clusters the images, with labels for some of them it becomes
    a classifier.

    Args:
        encoder: images -> codes [batch, size]; with `num_categories` K, a list: logits of y [batch, K], z
            [batch, size]. Two layers and not one: in an int8 file each has the scale that its own values need.
        decoder: codes [batch, size], or [batch, K + size] -> logits [batch, height, width, channels].
        discriminator: codes z [batch, size] -> logits [batch, 1]; with `prior_num_classes`, [codes, one-hot labels].
        category_discriminator: y [batch, K] -> logits [batch, 1]; due with `num_categories`.
        prior: of z: draws from base noise, as `keras_gen.Prior`, `PetalPrior` or `SwissRollPrior`; None is the
            isotropic standard normal.
        num_categories: K >= 2, or None.
        supervised: a batch also holds `labeled_image` and `labeled_label`, and a further player moves the encoder
            towards their classes. Needs `num_categories`.
        prior_num_classes: classes of a label-informed prior: the discriminator is told an image's class, and the prior
            draws for it (it must take `label`). A label of -1 is an image without one. The encoder is told nothing.
        input_noise: deviation of normal noise on every image that the encoder sees in training, >= 0; what it
            reconstructs is the image without it (a denoising autoencoder), and a class learned from few images
            generalizes further.
        loss: `"mse"` or `"bernoulli"`, of the reconstruction.
        objective: of the discriminators, see `keras_gen.losses.adversarial`.
        ema: decay of the moving averages of encoder and decoder, or None; outside training the averages are used.
        seed: of all noise.

    Reference:
        Makhzani, Shlens, Jaitly, Goodfellow, Frey 2015, Adversarial Autoencoders, arXiv:1511.05644, sections 2, 2.3, 5
        (semi-supervised) and 6 (clustering).
    """

    system = "aae"
    averaged_networks = ("encoder", "decoder")
    shared_networks = ("encoder",)
    label_setting = "prior_num_classes"
    config_attributes = {"loss": "reconstruction_loss"}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        *,
        category_discriminator: keras.Model | None = None,
        prior=None,
        num_categories: int | None = None,
        supervised: bool = False,
        prior_num_classes: int | None = None,
        input_noise: float = 0.0,
        loss: str = "mse",
        objective: str | dict = "non_saturating",
        ema: float | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        self.tracked = _tracked(num_categories, supervised)  # before the base makes the trackers
        super().__init__(encoder, decoder, ema=ema, seed=seed, **kwargs)
        self.discriminator, self.category_discriminator = discriminator, category_discriminator
        self.num_categories, self.supervised, self.prior_num_classes = num_categories, supervised, prior_num_classes
        self.input_noise, self.reconstruction_loss, self.objective = input_noise, loss, objective
        self.style_size = self.latent_size - (num_categories or 0)
        self.prior = Prior(size=self.style_size) if prior is None else prior
        self._objective = adversarial.get(objective)
        self._check()
        self.average()

    # training

    def players(self):
        players = [
            Player("reconstruction", (self.encoder, self.decoder), self.reconstruction),
            Player("discriminator", (self.discriminator,), self.discriminator_loss),
        ]
        if self.num_categories:
            players.append(Player("category_discriminator", (self.category_discriminator,), self.category_loss))
        players.append(Player("regularization", (self.encoder,), self.regularization))
        if self.supervised:
            logits = keras.Model(self.encoder.inputs, self.encoder.outputs[0])  # without the styles' layer
            players.append(Player("classification", (logits,), self.classification))
        return players

    def shared_forward(self, batch, batch_noise, training):
        """One pass of the encoder for all players: its gradients are those at its weights before the step."""
        return self._encoded_with_noise(batch["image"], batch_noise, training)

    def reconstruction(self, batch, shared, batch_noise, global_batch, training):
        """The reconstruction loss, summed over pixels."""
        logits = self.decoded(self.code_of(shared), training=training)
        images = self.target_of(batch)
        losses = bernoulli_cross_entropy(images, logits) if self.reconstruction_loss == "bernoulli" else (
            squared_error(images, tf.nn.sigmoid(logits))
        )  # fmt: skip
        return losses, {}

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """BatchNoise of the prior against styles."""
        label = self.prior_label(batch)
        noise = batch_noise.noise(self.prior.noise)
        real = self.prior.draw(noise) if label is None else self.prior.draw(noise, label=label)
        logits = self.judged(real, label, training), self.judged(shared["style"], label, training)
        return self._objective.discriminator(*logits), {"discriminator_accuracy": self._objective.accuracy(*logits)}

    def category_loss(self, batch, shared, batch_noise, global_batch, training):
        """One-hot categories against the softmax of the encoder's logits."""
        logits = [
            tf.cast(self.category_discriminator(y, training=training), tf.float32)[:, 0]
            for y in (batch_noise.one_hot((self.num_categories,)), tf.nn.softmax(shared["logits"]))
        ]
        return self._objective.discriminator(*logits), {}

    def regularization(self, batch, shared, batch_noise, global_batch, training):
        """What the encoder owes to the discriminators."""
        losses = self._objective.generator(self.judged(shared["style"], self.prior_label(batch), training))
        if self.num_categories:
            logits = self.category_discriminator(tf.nn.softmax(shared["logits"]), training=training)
            losses += self._objective.generator(tf.cast(logits, tf.float32)[:, 0])
        return losses, {}

    def classification(self, batch, shared, batch_noise, global_batch, training):
        """Cross-entropy of the labeled images' classes, in nats."""
        if "labeled_image" not in batch or "labeled_label" not in batch:
            raise ValueError(
                f"supervised=True needs labeled_image and labeled_label in a batch; it has {', '.join(sorted(batch))}"
            )
        logits = self._encoded_with_noise(batch["labeled_image"], batch_noise, training)["logits"]
        label = class_indices(batch["labeled_label"], self.num_categories)
        right = tf.cast(tf.argmax(logits, axis=1, output_type=tf.int32) == label, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits), {"labeled_accuracy": right}

    def _encoded_with_noise(self, image, batch_noise, training: bool) -> dict[str, tf.Tensor]:
        if training and self.input_noise:
            image = image + self.input_noise * batch_noise.normal(self.image_shape)
        return self.encoded(image, training=training)

    def judged(self, codes, label, training: bool) -> tf.Tensor:
        """The discriminator's logits of styles [batch, size], float32 [batch]."""
        inputs = codes if label is None else [codes, label]
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)[:, 0]

    def prior_label(self, batch) -> tf.Tensor | None:
        """One-hot classes [batch, classes], zeros where the label is -1; None without a label-informed prior."""
        if not self.prior_num_classes:
            return None
        if "label" not in batch:
            raise ValueError(f"A label-informed prior needs 'label'; the batch has {', '.join(sorted(batch))}")
        return tf.one_hot(class_indices(batch["label"], self.prior_num_classes, lowest=-1), self.prior_num_classes)

    # use

    def encoded(self, image, label=None, training: bool = False) -> dict[str, tf.Tensor]:
        """`style` and, with categories, `logits`, in float32; outside training the average's, where there is one."""
        network = self.encoder if training else self.inference_network("encoder")
        names = ("logits", "style") if self.num_categories else ("style",)
        shared = keras.tree.flatten(network(image, training=training))
        return {name: tf.cast(part, tf.float32) for name, part in zip(names, shared, strict=True)}

    def decoded(self, z, label=None, training: bool = False):
        """The decoder's output in float32; outside training that of the average, where there is one."""
        network = self.decoder if training else self.inference_network("decoder")
        return tf.cast(network(z, training=training), tf.float32)

    def code_of(self, encoded):
        if not self.num_categories:
            return encoded["style"]
        # a sum and not tf.concat: in an int8 file the parts of a concatenation share one scale, which the softmax's
        # kernel does not follow, and its probabilities come out wrong
        category = tf.pad(tf.nn.softmax(encoded["logits"]), [[0, 0], [0, self.style_size]])
        return category + tf.pad(encoded["style"], [[0, 0], [self.num_categories, 0]])

    def image_of(self, decoded):
        return tf.nn.sigmoid(decoded)

    @property
    def optional_image_fields(self):
        return super().optional_image_fields | ({"labeled_image": self.image_shape} if self.supervised else {})

    @property
    def label_classes(self):
        return self.prior_num_classes

    def classify(self, image) -> tf.Tensor:
        """Images -> probabilities of the categories, float32 [batch, num_categories].

        Raises:
            ValueError: for a model without categories, or images outside [0, 1] or of another shape.
        """
        if not self.num_categories:
            raise ValueError("This model has no categories: build it with num_categories")
        image = self.images_of("image", image, everywhere=False)
        # not out of the code: in an int8 file its probabilities would have the styles' wide steps
        return tf.nn.softmax(self.encoded(image)["logits"])

    def noise(self):
        category = {"category": Noise("one_hot", (self.num_categories,))} if self.num_categories else {}
        return {**self.prior.noise, **category}

    def codes_from(self, noise: dict) -> tf.Tensor:
        style = self.prior.draw({name: noise[name] for name in self.prior.noise})
        return tf.concat([noise["category"], style], axis=1) if self.num_categories else style

    def sampler(self):
        return self.codes_from

    def endpoints(self):
        """`encode`, `decode`, `reconstruct`, `generate`, and with categories `classify`."""
        endpoints = super().endpoints()
        if self.num_categories:
            classes = {"category": Port((self.num_categories,), "label")}
            image = {"image": Port(self.image_shape, "image")}
            endpoints.append(Endpoint("classify", lambda image: {"category": self.classify(image)}, image, classes))
        return endpoints

    def get_config(self) -> dict:
        own = ("num_categories", "supervised", "prior_num_classes", "input_noise", "objective", "ema")
        parts = ("discriminator", "category_discriminator", "prior")
        config = {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts},
            "loss": self.reconstruction_loss,
        }
        del config["num_classes"]
        return config

    def _check(self):
        if self.reconstruction_loss not in RECONSTRUCTIONS:
            raise ValueError(f"Unknown loss {self.reconstruction_loss!r}: expected one of {', '.join(RECONSTRUCTIONS)}")
        if bool(self.num_categories) != (self.category_discriminator is not None):
            raise ValueError("num_categories and category_discriminator go together: give both or neither")
        if self.supervised and not self.num_categories:
            raise ValueError("supervised=True needs num_categories: the classes that the encoder learns")
        if not 0 <= self.input_noise < float("inf"):
            raise ValueError(f"input_noise must be a deviation >= 0; received {self.input_noise!r}")
        if self._objective.needs_means or self._objective.accuracy_needs_means:
            raise ValueError(f"objective {self._objective.name!r} needs means over the batch: choose one without")
        wanted = [size for size in (self.num_categories, self.style_size) if size]
        units = [output.shape[-1] for output in self.encoder.outputs]
        if units != wanted:
            raise ValueError(
                f"The encoder gives {units} units and the decoder takes {self.latent_size}; with num_categories="
                f"{self.num_categories} the encoder must give {wanted}"
            )
        if self.style_size < 1 or self.prior.size != self.style_size:
            raise ValueError(
                f"Codes of {self.latent_size} with num_categories={self.num_categories} leave styles of "
                f"{self.style_size}; the prior has size {self.prior.size}"
            )
        if tuple(self.decoder.output_shape[1:]) != self.image_shape:
            raise ValueError(
                f"The decoder's outputs have the shape {tuple(self.decoder.output_shape[1:])}; the encoder takes "
                f"images {self.image_shape}"
            )
        wanted = 2 if self.prior_num_classes else 1
        if len(self.discriminator.inputs) != wanted:
            raise ValueError(
                f"prior_num_classes={self.prior_num_classes}: the discriminator must take {wanted} input(s); it takes "
                f"{len(self.discriminator.inputs)}"
            )


def _tracked(num_categories, supervised) -> tuple[str, ...]:
    names = ["reconstruction_loss", "discriminator_loss", "discriminator_accuracy", "regularization_loss"]
    if num_categories:
        names.append("category_discriminator_loss")
    if supervised:
        names += ["classification_loss", "labeled_accuracy"]
    return tuple(names)
