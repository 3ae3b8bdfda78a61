"""What is evaluated: a run with its model, and images of its data."""

import dataclasses
from collections.abc import Callable
from functools import cached_property

import numpy as np
import tensorflow as tf

from keras_gen.runs import Run


@dataclasses.dataclass
class Subject:
    """A run under evaluation, and how much of it is looked at. The model and the data are loaded on first use.

    Attributes:
        run: the run.
        split: role of the evaluated split: `"test"`, `"validation"` or `"train"`.
        seed: of everything drawn: codes, samples, which images, dynamic binarization.
        batch_size: images at a time.
        nll_samples: codes for each image in the log-likelihood.
        nll_images: images in the log-likelihood; None is all.
        samples: generated images that are compared with as many real ones.
        max_images: limit of the images that are held in memory for everything else.
        features: what samples are compared by, see `keras_gen.evaluation.FEATURES`, and `"pyramid"`.
        parzen: whether to take the historical Parzen-window log-likelihood.
        progress: called with (what, done, total) while something takes long.
    """

    run: Run
    split: str = "test"
    seed: int = 0
    batch_size: int = 128
    nll_samples: int = 5000
    nll_images: int | None = 500
    samples: int = 1000
    max_images: int = 10_000
    features: tuple[str, ...] = ("pixels",)
    parzen: bool = False
    progress: Callable[[str, int, int], None] = lambda what, done, total: None

    def __post_init__(self):
        self._held: dict = {}

    @cached_property
    def model(self):
        """The trained model."""
        return self.run.load_model()

    def dataset(self, role: str | None = None, **changes) -> tf.data.Dataset:
        """A split as the model is meant to see it: one pass, in order, not augmented, binarized as in training."""
        options = {"batch_size": self.batch_size, "seed": self.seed, "shuffle": False, "augment": ()}
        if hasattr(self.model, "settled"):  # it may not have grown to the end
            options["image_shape"] = self.model.image_shape
        return self.run.dataset(role or self.split, **{**options, "steps": None, "drop_remainder": False, **changes})

    def count(self, role: str | None = None) -> int:
        """Images in a split."""
        return self.dataset(role).info.num_examples

    def batch(self, num: int | None = None, role: str | None = None, **changes) -> dict[str, np.ndarray]:
        """Examples of a split, chosen without replacement by the seed; the same ones whenever asked.

        Args:
            num: examples, at most; None is the whole split.
            role: split, the evaluated one by default.
            **changes: arguments of `keras_gen.data.load` to change, e.g. `binarize=None`.

        Returns:
            Field -> array, `image` float32 [num, height, width, channels].
        """
        key = (num, role or self.split, *sorted(changes.items()))
        if key not in self._held:
            self._held[key] = gather(self.dataset(role, **changes), num, self.seed)
        return self._held[key]

    @cached_property
    def generated(self) -> np.ndarray:
        """`samples` generated images; a conditional model is given the labels, or the captions, of real images."""
        conditions = self.conditions(self.samples)
        return self.model.generate(self.samples, seed=self.seed, batch_size=self.batch_size, **conditions)

    def conditions(self, num: int) -> dict[str, np.ndarray]:
        """What `generate` must be told for `num` images: labels or captions as real images have them, where it is
        conditional.
        """
        if "text" in self.model.described():
            return {"tokens": self.captioned(num)["tokens"]}
        if not getattr(self.model, "num_classes", None):
            return {}
        labels = self.batch(num)["label"]
        # in random order: the first of the samples may be compared alone, and data may lie class by class
        order = np.random.Generator(np.random.Philox(key=self.seed)).permutation(len(labels))
        return {"label": np.resize(labels[order], num)}

    def captioned(self, num: int, role: str | None = None) -> dict[str, np.ndarray]:
        """`num` examples with captions and their `tokens`, in random order, again from the first where there are fewer.

        Raises:
            ValueError: where the data have no captions.
        """
        batch = self.batch(num, role)
        if "caption" not in batch:
            source = self.run.config["data"]["source"]
            raise ValueError(f"{source} has no captions; it has {', '.join(batch)}")
        order = np.random.Generator(np.random.Philox(key=self.seed)).permutation(len(batch["image"]))
        rows = np.resize(order, num if role is None else min(num, len(order)))
        found = {field: values[rows] for field, values in batch.items()}
        return {**found, "tokens": self.model.tokenizer(list(found["caption"]))}

    @property
    def zoom(self) -> int:
        """How much pictures of small images are enlarged."""
        return max(1, 64 // self.run.image_shape[0])

    def labels(self, batch: dict[str, np.ndarray]) -> np.ndarray | None:
        """The labels of a batch where the model is conditional, else None."""
        return batch["label"] if getattr(self.model, "num_classes", None) else None

    def map(self, function: Callable[..., tf.Tensor], batch: dict[str, np.ndarray], indexed=False) -> np.ndarray:
        """A function of (image, one-hot label or None), such as `model.encode`, over a batch, piece by piece.

        Args:
            function: tensors -> tensor [rows, ...]; it is compiled.
            batch: as `batch` gives it.
            indexed: pass the images' indices in the batch, int32 [rows], as a third argument.

        Returns:
            [num, ...].
        """
        compiled = tf.function(function, reduce_retracing=True)
        results = []
        for start in range(0, len(batch["image"]), self.batch_size):
            rows = slice(start, start + self.batch_size)
            part = {key: tf.constant(batch[key][rows]) for key in ("image", "label") if key in batch}
            indices = (start + tf.range(len(part["image"])),) if indexed else ()
            results.append(compiled(part["image"], self.model.label_of(part), *indices).numpy())
        return np.concatenate(results)

    def decode(self, codes: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Images of codes [num, size]; a conditional model is given integer labels [num], by default class 0."""
        classes = getattr(self.model, "num_classes", None)
        if not classes:
            labels = None
        elif labels is None:
            labels = np.zeros(len(codes), np.int32)
        images = []
        for start in range(0, len(codes), self.batch_size):
            rows = slice(start, start + self.batch_size)
            label = None if labels is None else tf.one_hot(labels[rows], classes)
            images.append(np.asarray(self.model.decode(tf.constant(codes[rows], tf.float32), label)))
        return np.concatenate(images)


def gather(dataset: tf.data.Dataset, num: int | None, seed: int) -> dict[str, np.ndarray]:
    """Examples of a dataset of `keras_gen.data.load`, chosen by a seed, in the dataset's order.

    Args:
        dataset: finite, in a fixed order.
        num: examples, at most; None is all.
        seed: of the choice.

    Returns:
        Field -> array.
    """
    count = dataset.info.num_examples
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(count)
    chosen = np.sort(order[:num])
    parts, first = [], 0
    for batch in dataset.as_numpy_iterator():
        rows = len(next(iter(batch.values())))
        inside = chosen[(chosen >= first) & (chosen < first + rows)] - first
        if len(inside):
            parts.append({field: values[inside] for field, values in batch.items()})
        first += rows
        if first > chosen[-1]:
            break
    return {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
