"""StarGAN: one generator that turns an image into any of many domains."""

# More than 250 lines: losses, what a batch tells of attributes, and what is translated and exported are one system.

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import adversarial, group_accuracy, group_cross_entropy, penalties

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import class_indices
from ..core.endpoint import Endpoint, Port
from ..core.graph_checks import between
from ..core.player import Player
from .attributes import Attributes

COLUMNS = 16  # translations shown of an example, at most


@keras.saving.register_keras_serializable("keras_gen")
class StarGAN(AdversarialModel):
    """A generator is given an image and target attributes; a discriminator judges the image and reads its attributes.

    The discriminator is a Wasserstein critic with a gradient penalty, and a classifier of real images. The generator is
    to please the critic, to be classified as the target, and to come back to the given image when it is told that one's
    own attributes. A batch has `image` and `attributes` [batch, n] (or, with one group of exclusive domains, `label`);
    the targets are the batch's own attributes in a random order, as in the authors' code.

    With several data sets that know different attributes a batch also has `dataset`, int [batch]. The generator is then
    told the attributes, with those that the set does not know at 0, and the set, one-hot: the paper's mask vector. Only
    known groups are classified, and targets are exchanged among the images of a set.

    Reported: both losses; `critic_distance`, the critic's mean of real less generated; `real_accuracy` and
    `translated_accuracy`, the share of groups that the classifier reads right off real images, and off translated ones
    as the target; `reconstruction_error`, the mean absolute difference after the way there and back, in [0, 1].

    Args:
        generator: [images, attributes [batch, n]] -> images in [0, 1]; with s data sets, attributes are [batch, n + s].
        discriminator: images -> [critic map [batch, h, w, 1], logits [batch, n]]. No batch normalization.
        groups: sizes of the attributes' groups: k >= 2 for k exclusive domains, 1 for an attribute of its own.
        datasets: of each group the data set that knows it, 0, 1, ...; None where there is one.
        attribute_names: of the n entries; None numbers them.
        n_critic: updates of the discriminator in a step, >= 1, each on its own part of the batch.
        classification_weight: of both classification losses; 1 in the paper.
        reconstruction_weight: of the mean absolute difference after there and back; 10 in the paper.
        penalty_weight: of the gradient penalty; 10 in the paper.
        ema: decay of the generator's moving average, or None; outside training the average is used.
        seed: of all noise.

    The weights are those of the paper's units: images in [-1, 1], a mean over pixels, a sum over groups.

    Reference:
        Choi, Choi, Kim, Ha, Kim, Choo 2018, StarGAN: Unified Generative Adversarial Networks for Multi-Domain
        Image-to-Image Translation, arXiv:1711.09020, eq. 1 to 8.
    """

    averaged_networks = ("generator",)
    shared_networks = ("generator",)
    tracked = (
        *("discriminator_loss", "generator_loss", "critic_distance"),
        *("real_accuracy", "translated_accuracy", "reconstruction_error"),
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        groups: Sequence[int],
        datasets: Sequence[int] | None = None,
        attribute_names: Sequence[str] | None = None,
        n_critic: int = 5,
        classification_weight: float = 1.0,
        reconstruction_weight: float = 10.0,
        penalty_weight: float = 10.0,
        ema: float | None = 0.999,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.vocabulary = Attributes(tuple(groups), tuple(datasets or ()), tuple(attribute_names or ()))
        self.groups = self.vocabulary.groups
        self.datasets = self.vocabulary.datasets or None
        self.attribute_names = None if attribute_names is None else self.vocabulary.names
        self.n_critic, self.penalty_weight = n_critic, penalty_weight
        self.classification_weight, self.reconstruction_weight = classification_weight, reconstruction_weight
        self.image_shape = tuple(generator.inputs[0].shape[1:])
        self._objective = adversarial.get("wasserstein")
        self._penalty = penalties.get({"name": "wgan_gp", "weight": penalty_weight})
        self._check()
        self.average()

    # training

    def players(self):
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss, self.n_critic),
            Player("generator", (self.generator,), self.generator_loss),
        ]

    def shared_forward(self, batch, batch_noise, training):
        """The targets, and the images translated to them, once for both players."""
        attributes, mask = self.told(batch)
        # of others the cross-entropy has no lower bound
        attributes = between("values", "attributes from 0 to 1", attributes, 0.0, 1.0)
        within = None if mask is None else tf.argmax(mask, axis=1)
        target = batch_noise.shuffle(attributes, within)
        return {"target": target, "generated": self.translated(batch["image"], target, mask, training)}

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """The critic's objective and penalty, and the classification of real images."""
        real, generated = batch["image"], tf.stop_gradient(shared["generated"])
        attributes, mask = self.told(batch)
        critic, logits = self.judged(real, training)
        critic_of_generated, _ = self.judged(generated, training)
        losses = self._objective.discriminator(critic, critic_of_generated)
        losses += self._penalty.rows(
            lambda images: self.judged(images, training)[0],
            real,
            generated,
            batch_noise.noise(self._penalty.noise(self.image_shape)),
        )
        losses += self.classification_weight * self._classified(group_cross_entropy, logits, attributes, mask)
        accuracy = self._classified(group_accuracy, logits, attributes, mask)
        return losses, {"critic_distance": critic - critic_of_generated, "real_accuracy": accuracy}

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """What the critic asks, the targets' classification, and the way back to the given image."""
        image, target = batch["image"], tf.stop_gradient(shared["target"])
        attributes, mask = self.told(batch)
        critic, logits = self.judged(shared["generated"], training)
        back = self.translated(shared["generated"], attributes, mask, training)
        error = tf.reduce_mean(tf.abs(tf.cast(image, tf.float32) - back), axis=[1, 2, 3])
        losses = self._objective.generator(critic) + self.reconstruction_weight * 2.0 * error
        losses += self.classification_weight * self._classified(group_cross_entropy, logits, target, mask)
        accuracy = self._classified(group_accuracy, logits, target, mask)
        return losses, {"translated_accuracy": accuracy, "reconstruction_error": error}

    def _classified(self, function, logits, attributes, mask) -> tf.Tensor:
        known = None if mask is None else tf.matmul(mask, self.vocabulary.known_groups)
        return function(logits, attributes, self.groups, known)

    def diagnose(self, logs):
        reported = {"real_accuracy": 0.0, "translated_accuracy": 1.0, "reconstruction_error": 0.0} | logs
        real, translated = reported["real_accuracy"], reported["translated_accuracy"]
        found = {}
        if real > 0.9 and translated < 0.5 * real:
            found["the generator does not follow its attributes"] = (
                f"the classifier reads {real:.0%} right off real images and {translated:.0%} off translated ones. More "
                "epochs, a larger classification_weight or a smaller reconstruction_weight may help"
            )
        if reported["reconstruction_error"] > 0.2:
            found["the way back is lost"] = (
                f"there and back, pixels differ by {reported['reconstruction_error']:.2f} of 1. More epochs, a smaller "
                "learning rate or a larger reconstruction_weight may help"
            )
        return found

    # what a batch tells

    def told(self, batch: dict) -> tuple[tf.Tensor, tf.Tensor | None]:
        """A batch's attributes [batch, n], 0 where its set does not know them, and its sets, one-hot [batch, s].

        Both are float32. The second is None where there is one set.
        """
        attributes = self.attributes_of(batch)
        if not self.datasets:
            return attributes, None
        if "dataset" not in batch:
            raise ValueError(f"datasets={self.datasets}: a batch needs 'dataset'; it has {', '.join(sorted(batch))}")
        mask = tf.convert_to_tensor(batch["dataset"])
        if mask.shape.rank == 1:
            mask = tf.one_hot(class_indices(mask, self.vocabulary.sets), self.vocabulary.sets)
        return attributes * tf.matmul(mask, self.vocabulary.known), mask

    def attributes_of(self, batch: dict) -> tf.Tensor:
        """A batch's attributes as they are, float32 [batch, n]: `attributes`, or `label` as the one group's class."""
        size = self.vocabulary.size
        if "attributes" in batch:
            attributes = tf.cast(tf.convert_to_tensor(batch["attributes"]), tf.float32)
            if not attributes.shape.is_compatible_with([None, size]):
                raise ValueError(f"Expected attributes [batch, {size}]; received the shape {attributes.shape}")
            return attributes
        if "label" not in batch or len(self.groups) > 1 or size < 2:
            raise ValueError(
                f"Expected a batch with attributes [batch, {size}]"
                + (", or label" if len(self.groups) == 1 and size > 1 else "")
                + f"; it has {', '.join(sorted(batch))}"
            )
        return tf.one_hot(class_indices(batch["label"], size), size)

    @property
    def label_classes(self):
        return self.vocabulary.size if len(self.groups) == 1 and self.vocabulary.size > 1 else None

    # use

    def judged(self, images, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """The critic's mean over its map, float32 [batch], and the attributes' logits, float32 [batch, n]."""
        critic, logits = self.discriminator(images, training=training)
        return tf.reduce_mean(tf.cast(critic, tf.float32), axis=[1, 2, 3]), tf.cast(logits, tf.float32)

    def translated(self, images, attributes, mask=None, training: bool = False, network=None) -> tf.Tensor:
        """Images as the generator (or another network) makes them of target attributes, float32 in [0, 1]."""
        target = attributes if mask is None else tf.concat([attributes, mask], axis=1)
        return tf.cast((network or self.generator)([images, target], training=training), tf.float32)

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """The deploy path: a dict with `image` and target `attributes` (or `label`), and `dataset` -> images."""
        return self.translated(inputs["image"], *self.told(inputs), network=self.inference_network("generator"))

    def classify(self, image) -> tf.Tensor:
        """Images -> probabilities of the attributes, float32 [batch, n]; those of exclusive domains have the sum 1.

        Raises:
            ValueError: for images outside [0, 1], or of another shape.
        """
        image = self.images_of("image", image, everywhere=False)
        return self.vocabulary.probabilities(self.judged(image)[1])

    def translate(self, images, attributes, *, dataset: int | None = None, batch_size: int = 64) -> np.ndarray:
        """Images as they would be with other attributes.

        Args:
            images: float [num, height, width, channels] in [0, 1].
            attributes: names or vectors, see `Attributes.vectors`: e.g. `"red"` for all, or a list with one for each.
            dataset: the set that vectors are of, where there are several.
            batch_size: images at a time.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for an unknown name, or shapes that do not fit.
        """
        images = np.asarray(self.images_of("image", np.asarray(images)))
        if not len(images):
            raise ValueError(f"Expected images [num, {', '.join(map(str, self.image_shape))}]; received {images.shape}")
        vectors, sets = self.vocabulary.vectors(attributes, len(images), dataset)
        shared = []
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            shared.append(self({"image": images[rows], "attributes": vectors[rows], "dataset": sets[rows]}).numpy())
        return np.concatenate(shared)

    def examples(self, batch):
        """Given images beside a column for each domain; an attribute of its own is turned over."""
        images, vocabulary = np.asarray(batch["image"], np.float32), self.vocabulary
        known, vectors = np.ones((len(images), vocabulary.size)), vocabulary.decided(self.classify(images).numpy())
        if "attributes" in batch or "label" in batch:
            if self.datasets:
                known = vocabulary.known[np.asarray(batch["dataset"])]
            vectors = np.where(known, self.attributes_of(batch).numpy(), vectors)
        columns = {"given": images}
        for entry, name in list(enumerate(vocabulary.names))[:COLUMNS]:
            sets = np.full(len(images), vocabulary.known[:, entry].argmax())
            given = {"image": images, "attributes": vocabulary.chosen(vectors, entry), "dataset": sets}
            columns[name] = self(given).numpy()
        return {"given | translated": columns}

    def endpoints(self):
        """`translate`: image and attributes (and the data set, one-hot) -> image; `classify`: image -> attributes."""
        image = {"image": Port(self.image_shape, "image")}
        attributes = {"attributes": Port((self.vocabulary.size,), "attributes")}
        sets = {"dataset": Port((self.vocabulary.sets,), "label")} if self.datasets else {}

        def translate(**told):
            return {"image": self(told)}

        return [
            Endpoint("translate", translate, {**image, **attributes, **sets}, image),
            Endpoint("classify", lambda image: {"attributes": self.classify(image)}, image, attributes),
        ]

    def described(self):
        """`attributes`: their names, groups, and the set of each group."""
        return {"attributes": self.vocabulary.describe()}

    def get_config(self) -> dict:
        own = ("n_critic", "classification_weight", "reconstruction_weight", "penalty_weight", "ema")
        lists = ("groups", "datasets", "attribute_names")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: None if getattr(self, name) is None else list(getattr(self, name)) for name in lists},
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
        }

    def _check(self):
        if not isinstance(self.n_critic, int) or self.n_critic < 1:
            raise ValueError(f"n_critic must be an integer >= 1; received {self.n_critic!r}")
        for name in ("classification_weight", "reconstruction_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be >= 0; received {getattr(self, name)!r}")
        size, sets = self.vocabulary.size, self.vocabulary.sets if self.datasets else 0
        taken = [tuple(each.shape[1:]) for each in self.generator.inputs]
        if taken != [self.image_shape, (size + sets,)] or tuple(self.generator.output_shape[1:]) != self.image_shape:
            raise ValueError(
                f"groups={self.groups}, datasets={self.datasets}: the generator must take images and [batch, "
                f"{size + sets}], and make images of the same shape; it takes {taken} and makes "
                f"{tuple(self.generator.output_shape[1:])}"
            )
        judged = [tuple(each.shape[1:]) for each in self.discriminator.outputs]
        shown = tuple(self.discriminator.inputs[0].shape[1:])
        if shown != self.image_shape or len(judged) != 2 or len(judged[0]) != 3 or judged[1] != (size,):
            raise ValueError(
                f"groups={self.groups}: the discriminator must take images {self.image_shape} and give a map "
                f"[batch, h, w, 1] and logits [batch, {size}]; it takes {shown} and gives {judged}"
            )
