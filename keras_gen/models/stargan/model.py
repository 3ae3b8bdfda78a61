"""StarGAN: one generator that translates an image into any of many domains."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.losses import adversarial, group_accuracy, group_cross_entropy, penalties

from ..core.adversarial import AdversarialModel
from ..core.class_conditional import class_indices
from ..core.defaults import EMA
from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.graph_checks import between
from ..core.host import host_value
from ..core.player import Player
from .attributes import AttributeSchema
from .classifier_statistics import ClassifierStatistics
from .preset import CLASSIFICATION_WEIGHT, PENALTY_WEIGHT, RECONSTRUCTION_WEIGHT

MAX_COLUMNS = 16  # translations of an example in a preview picture
PAPER_PATCHES = 4  # values of the paper's critic map, whose sum is penalized
MAX_NAMES = 5  # groups, and names of a group, in a diagnosis
# steps after which a classifier that learns is better than always giving the most frequent answer
CLASSIFIER_STEPS = 500
# what has learned avoids at least this part of the errors of what has not
LEARNED = 0.2


@keras.saving.register_keras_serializable("keras_gen")
class StarGAN(AdversarialModel):
    """A generator that is conditioned on target attributes, and a discriminator that also classifies attributes.

    The discriminator is a Wasserstein critic with a gradient penalty and a classifier that learns from real images. The
    generator minimizes the critic's loss, the cross-entropy of the target attributes, and the reconstruction error: the
    translation, translated back to the image's own attributes, must equal the image. A batch has `image` and
    `attributes` [batch, n] (or, with one group of exclusive domains, `label`). The targets are the attributes of the
    batch in a random order, as in the authors' code.

    With several datasets that label different attributes, a batch also has `dataset`, int [batch]. The generator is
    then conditioned on the attributes, where those that the dataset does not label are 0, and on the one-hot dataset:
    the paper's mask vector. Only labeled groups are classified, and targets are permuted within each dataset.

    Metrics: both losses; `critic_distance`, the mean critic score of real minus generated images; `real_accuracy` and
    `translated_accuracy`, the fraction of groups that are classified correctly in real images, and as the target in
    translations; `reconstruction_error`, the mean absolute error after the round trip, in [0, 1].

    The weights are in the units of the authors' code: images in [-1, 1], a mean over pixels, a sum over groups. The
    losses contain the mean of the critic map. The gradient penalty is that of four times the mean: the authors' code
    penalizes the sum of a map of 2x2. So the critic has the same share of the losses with a map of any size.

    Args:
        generator: [images, attributes [batch, n]] -> images in [0, 1]; with s datasets, the attributes are
            [batch, n + s].
        discriminator: images -> [critic map [batch, h, w, 1], logits [batch, n]]; without batch normalization.
        groups: sizes of the attribute groups: k >= 2 for k exclusive domains, 1 for a binary attribute.
        datasets: for each group the index of the dataset that labels it, 0, 1, ...; None for one dataset.
        attribute_names: names of the n entries; None numbers them.
        n_critic: updates of the discriminator per step, >= 1, each on its own part of the batch; 5 in the paper.
        classification_weight: weight of both classification losses, >= 0; 1 in the paper.
        reconstruction_weight: weight of the reconstruction error, >= 0; 10 in the paper.
        penalty_weight: weight of the gradient penalty, > 0; 10 in the paper.
        classifier_warmup: steps at the start of training in which both players ignore the critic and its penalty, >= 0:
            the discriminator learns the attributes alone. 0 in the paper.
        ema: decay of the generator's moving average in (0, 1), or None; inference uses the average.
        seed: seed of all noise; None draws one.

    Raises:
        ValueError: for networks whose inputs or outputs do not match the groups, or numbers out of range.

    Reference:
        Choi, Choi, Kim, Ha, Kim, Choo 2018, StarGAN: Unified Generative Adversarial Networks for Multi-Domain
        Image-to-Image Translation, arXiv:1711.09020, eq. 1 to 8.
    """

    image_shape: tuple[int, int, int]
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
        classification_weight: float = CLASSIFICATION_WEIGHT,
        reconstruction_weight: float = RECONSTRUCTION_WEIGHT,
        penalty_weight: float = PENALTY_WEIGHT,
        classifier_warmup: int = 0,
        ema: float | None = EMA,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.attribute_schema = AttributeSchema(tuple(groups), tuple(datasets or ()), tuple(attribute_names or ()))
        self.groups = self.attribute_schema.groups
        self.datasets = self.attribute_schema.datasets or None
        self.attribute_names = None if attribute_names is None else self.attribute_schema.names
        self.n_critic, self.penalty_weight = n_critic, penalty_weight
        self.classification_weight, self.reconstruction_weight = classification_weight, reconstruction_weight
        self.classifier_warmup = classifier_warmup
        self.image_shape = tuple(generator.inputs[0].shape[1:])
        self.classifier_statistics = ClassifierStatistics(self.groups, name="classifier_statistics")
        self._objective = adversarial.get("wasserstein")
        self._penalty = penalties.get({"name": "wgan_gp", "weight": penalty_weight})
        self._check()
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss, self.n_critic),
            Player("generator", (self.generator,), self.generator_loss),
        ]

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """Returns the `target` attributes and the `generated` translations, which both players use."""
        attributes, mask = self.attributes_and_mask(batch)
        # outside [0, 1] the cross-entropy has no lower bound
        attributes = between("values", "attributes from 0 to 1", attributes, 0.0, 1.0)
        dataset = None if mask is None else tf.argmax(mask, axis=1)
        target = batch_noise.shuffle(attributes, dataset)
        return {"target": target, "generated": self.apply_generator(batch["image"], target, mask, training)}

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the critic's loss with its penalty and the classification loss of real images: eq. 5."""
        real, generated = batch["image"], tf.stop_gradient(shared["generated"])
        attributes, mask = self.attributes_and_mask(batch)
        real_scores, logits = self.discriminate(real, training)
        generated_scores, _ = self.discriminate(generated, training)
        losses = self._objective.discriminator(real_scores, generated_scores)
        losses += self._penalty.per_example(
            lambda images: PAPER_PATCHES * self.discriminate(images, training)[0],
            real,
            generated,
            batch_noise.noise(self._penalty.noise(self.image_shape)),
        )
        losses = self._critic_weight() * losses
        losses += self.classification_weight * self._over_groups(group_cross_entropy, logits, attributes, mask)
        accuracy = self._over_groups(group_accuracy, logits, attributes, mask)
        if training:
            self.classifier_statistics.update(logits, attributes, self._known_groups(mask), global_batch)
        return losses, {"critic_distance": real_scores - generated_scores, "real_accuracy": accuracy}

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the critic's loss, the classification loss of the targets and the reconstruction error: eq. 6."""
        image, target = batch["image"], tf.stop_gradient(shared["target"])
        attributes, mask = self.attributes_and_mask(batch)
        scores, logits = self.discriminate(shared["generated"], training)
        reconstructed = self.apply_generator(shared["generated"], attributes, mask, training)
        error = tf.reduce_mean(tf.abs(tf.cast(image, tf.float32) - reconstructed), axis=[1, 2, 3])
        losses = self._critic_weight() * self._objective.generator(scores) + self.reconstruction_weight * 2.0 * error
        losses += self.classification_weight * self._over_groups(group_cross_entropy, logits, target, mask)
        accuracy = self._over_groups(group_accuracy, logits, target, mask)
        return losses, {"translated_accuracy": accuracy, "reconstruction_error": error}

    def _critic_weight(self) -> tf.Tensor | float:
        """Returns the weight of the critic's terms in this step: 0 in the warm-up of the classifier, then 1."""
        if not self.classifier_warmup:
            return 1.0
        return tf.cast(tf.convert_to_tensor(self.train_steps) >= self.classifier_warmup, tf.float32)

    def _over_groups(self, function: Callable, logits, attributes, mask) -> tf.Tensor:
        """Returns `function` of the groups that each example's dataset labels, float32 [batch]."""
        return function(logits, attributes, self.groups, self._known_groups(mask))

    def _known_groups(self, mask: tf.Tensor | None) -> tf.Tensor | None:
        """Returns 1 for the groups that each example's dataset labels, float32 [batch, groups]; None for all."""
        return None if mask is None else tf.matmul(mask, self.attribute_schema.known_groups)

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        metrics = {"real_accuracy": 0.0, "translated_accuracy": 1.0, "reconstruction_error": 0.0, **logs}
        real, translated = metrics["real_accuracy"], metrics["translated_accuracy"]
        diagnoses = self._diagnose_classifier()
        # the part of unchanged images that have their target's attributes by chance
        unchanged = float(np.mean([np.square(share).sum() for share in self.classifier_statistics.shares()]))
        if translated - unchanged < LEARNED * (real - unchanged):
            diagnoses["the generator ignores its attributes"] = (
                f"the classifier is right on {real:.0%} of real images and finds the target in {translated:.0%} of the "
                f"translations, where images without a change would have it in {unchanged:.0%}: "
                "more epochs, a larger classification_weight or a smaller reconstruction_weight may help"
            )
        if metrics["reconstruction_error"] > 0.2:
            diagnoses["translations cannot be reversed"] = (
                f"after the round trip, pixels differ by {metrics['reconstruction_error']:.2f} on a scale of 0 to 1. "
                "More epochs, a smaller learning rate or a larger reconstruction_weight may help"
            )
        return diagnoses

    def _diagnose_classifier(self) -> dict[str, str]:
        """Returns a problem if the classifier is hardly better than the most frequent answer in one of the groups."""
        if host_value(self.train_steps) < CLASSIFIER_STEPS:
            return {}
        statistics, failures = self.classifier_statistics, []
        names = np.split(np.array(self.attribute_schema.names), np.cumsum(self.groups)[:-1])
        for group, accuracy, shares in zip(names, statistics.accuracy(), statistics.shares(), strict=True):
            if accuracy < shares.max() + LEARNED * (1 - shares.max()):
                failures.append(f"{'/'.join(group[:MAX_NAMES])} ({accuracy:.0%} right, the most frequent answer "
                                f"{shares.max():.0%})")  # fmt: skip
        if not failures:
            return {}
        more = f" and {len(failures) - MAX_NAMES} more" if len(failures) > MAX_NAMES else ""
        return {
            "the classifier does not recognize the attributes of real images": (
                f"{', '.join(failures[:MAX_NAMES])}{more}. The generator can learn nothing from it. A larger "
                f"classification_weight (now {self.classification_weight:g}), a warm-up (classifier_warmup=1000), "
                "larger images, on which the attributes are visible, or correct labels may help"
            )
        }

    # conditions

    def attributes_and_mask(self, batch: dict) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Returns the attributes and the datasets of a batch.

        Args:
            batch: fields `attributes` or `label`, and `dataset` if there are several datasets.

        Returns:
            attributes float32 [batch, n], 0 where the dataset does not label them; and one-hot datasets float32
            [batch, num_datasets], None for one dataset.

        Raises:
            ValueError: for a batch without the fields.
        """
        attributes = self.attributes_of(batch)
        if not self.datasets:
            return attributes, None
        if "dataset" not in batch:
            raise ValueError(
                f"Expected a batch with 'dataset' (datasets={self.datasets}); received {', '.join(sorted(batch))}"
            )
        mask = tf.convert_to_tensor(batch["dataset"])
        if mask.shape.rank == 1:
            count = self.attribute_schema.num_datasets
            mask = tf.one_hot(class_indices(mask, count), count)
        return attributes * tf.matmul(mask, self.attribute_schema.known_entries), mask

    def attributes_of(self, batch: dict) -> tf.Tensor:
        """Returns the unmasked attributes of a batch, float32 [batch, n]: `attributes`, or the one-hot `label`."""
        size = self.attribute_schema.size
        if "attributes" in batch:
            attributes = tf.cast(tf.convert_to_tensor(batch["attributes"]), tf.float32)
            if not attributes.shape.is_compatible_with([None, size]):
                raise ValueError(f"Expected attributes [batch, {size}]; received the shape {attributes.shape}")
            return attributes
        if "label" not in batch or len(self.groups) > 1 or size < 2:
            raise ValueError(
                f"Expected a batch with attributes [batch, {size}]"
                + (", or label" if len(self.groups) == 1 and size > 1 else "")
                + f"; received {', '.join(sorted(batch))}"
            )
        return tf.one_hot(class_indices(batch["label"], size), size)

    @property
    def label_classes(self) -> int | None:
        return self.attribute_schema.size if len(self.groups) == 1 and self.attribute_schema.size > 1 else None

    # inference

    def discriminate(self, images: Any, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the mean critic score, float32 [batch], and the attribute logits, float32 [batch, n]."""
        critic, logits = self.discriminator(images, training=training)
        return tf.reduce_mean(tf.cast(critic, tf.float32), axis=[1, 2, 3]), tf.cast(logits, tf.float32)

    def apply_generator(
        self, images: Any, attributes: Any, mask: Any = None, training: bool = False, network: keras.Model | None = None
    ) -> tf.Tensor:
        """Returns translations of images to target attributes, float32 in [0, 1].

        Args:
            images: [batch, height, width, channels] in [0, 1].
            attributes: target attributes [batch, n].
            mask: one-hot datasets [batch, num_datasets], or None for one dataset.
            training: passed to the network.
            network: None is the trained generator.
        """
        target = attributes if mask is None else tf.concat([attributes, mask], axis=1)
        return tf.cast((network or self.generator)([images, target], training=training), tf.float32)

    def call(self, inputs: dict, training: bool = False) -> tf.Tensor:
        """Returns translations for a dict with `image`, target `attributes` (or `label`) and `dataset`."""
        attributes, mask = self.attributes_and_mask(inputs)
        return self.apply_generator(inputs["image"], attributes, mask, network=self.inference_network("generator"))

    def classify(self, image: Any) -> tf.Tensor:
        """Returns the probabilities of the attributes, float32 [batch, n]; those of exclusive domains sum to 1.

        Args:
            image: images [batch, height, width, channels] in [0, 1].

        Raises:
            ValueError: for images outside [0, 1] or of another shape.
        """
        image = self.images_of("image", image, in_graph=False)
        return self.attribute_schema.probabilities(self.discriminate(image)[1])

    def translate(
        self, images: Any, attributes: Any, *, dataset: int | None = None, batch_size: int = 64
    ) -> np.ndarray:
        """Translates images to other attributes.

        Args:
            images: float [num, height, width, channels] in [0, 1].
            attributes: names or vectors, see `AttributeSchema.vectors`: for example `"red"` for all images, or a list
                with one entry for each.
            dataset: index of the dataset that vectors belong to; required if there are several.
            batch_size: images per forward pass.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for an unknown name or shapes that do not match.
        """
        images = np.asarray(self.images_of("image", np.asarray(images)))
        if not len(images):
            raise ValueError(f"Expected images [num, {', '.join(map(str, self.image_shape))}]; received {images.shape}")
        vectors, datasets = self.attribute_schema.vectors(attributes, len(images), dataset)

        def translated(rows: slice) -> tf.Tensor:
            return self({"image": images[rows], "attributes": vectors[rows], "dataset": datasets[rows]})

        return map_batches(translated, len(images), batch_size)

    def preview_images(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Returns images next to their translation to every domain; binary attributes are flipped."""
        images, schema = np.asarray(batch["image"], np.float32), self.attribute_schema
        known, vectors = np.ones((len(images), schema.size)), schema.most_probable(self.classify(images).numpy())
        if "attributes" in batch or "label" in batch:
            if self.datasets:
                known = schema.known_entries[np.asarray(batch["dataset"])]
            vectors = np.where(known, self.attributes_of(batch).numpy(), vectors)
        columns = {"source": images}
        for entry, name in list(enumerate(schema.names))[:MAX_COLUMNS]:
            dataset = np.full(len(images), schema.known_entries[:, entry].argmax())
            inputs = {"image": images, "attributes": schema.with_entry(vectors, entry), "dataset": dataset}
            columns[name] = self(inputs).numpy()
        return {"source | translated": columns}

    def endpoints(self) -> list[Endpoint]:
        """Returns `translate`: image, attributes, one-hot dataset -> image; and `classify`: image -> attributes."""
        image = {"image": Port(self.image_shape, "image")}
        attributes = {"attributes": Port((self.attribute_schema.size,), "attributes")}
        datasets = {"dataset": Port((self.attribute_schema.num_datasets,), "label")} if self.datasets else {}

        def translate(**inputs):
            return {"image": self(inputs)}

        return [
            Endpoint("translate", translate, {**image, **attributes, **datasets}, image),
            Endpoint("classify", lambda image: {"attributes": self.classify(image)}, image, attributes),
        ]

    def export_description(self) -> dict:
        """Returns `attributes`: their names, their groups, and the dataset of each group."""
        return {"attributes": self.attribute_schema.describe()}

    def _check(self) -> None:
        if not isinstance(self.n_critic, int) or self.n_critic < 1:
            raise ValueError(f"Expected n_critic as an integer >= 1; received {self.n_critic!r}")
        if not isinstance(self.classifier_warmup, int) or self.classifier_warmup < 0:
            raise ValueError(f"Expected classifier_warmup as an integer >= 0; received {self.classifier_warmup!r}")
        for name in ("classification_weight", "reconstruction_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"Expected {name} as a number >= 0; received {getattr(self, name)!r}")
        size, num_datasets = self.attribute_schema.size, self.attribute_schema.num_datasets if self.datasets else 0
        inputs = [tuple(each.shape[1:]) for each in self.generator.inputs]
        output = tuple(self.generator.output_shape[1:])
        if inputs != [self.image_shape, (size + num_datasets,)] or output != self.image_shape:
            raise ValueError(
                f"Expected a generator from images and [batch, {size + num_datasets}] to images of the same shape "
                f"(groups={self.groups}, datasets={self.datasets}); received one from {inputs} to {output}"
            )
        inputs = tuple(self.discriminator.inputs[0].shape[1:])
        outputs = [tuple(each.shape[1:]) for each in self.discriminator.outputs]
        if inputs != self.image_shape or len(outputs) != 2 or len(outputs[0]) != 3 or outputs[1] != (size,):
            raise ValueError(
                f"Expected a discriminator from images {self.image_shape} to a map [batch, h, w, 1] and logits "
                f"[batch, {size}] (groups={self.groups}); received one from {inputs} to {outputs}"
            )
