"""What is evaluated: a run with its model, and images of its data."""

import dataclasses
import functools
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.distributions import draw_noise
from keras_gen.runs import Run

SPLITS = ("test", "validation", "train")

# training images that 1,000 samples are compared with, at most: about 3 minutes of one processor at 64x64x3
NEIGHBOR_IMAGES = 250_000


def chosen_split(run: Run, split: str | None = None) -> str:
    """The role of the split that is evaluated: the given one, or the first of test, validation and train that exists.

    Raises:
        ValueError: for an unknown role, or one that the run does not have.
    """
    existing = [role for role in SPLITS if run.config["data"]["splits"].get(role)]
    if split is None:
        return existing[0]
    if split not in SPLITS:
        raise ValueError(f"Unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    if split not in existing:
        raise ValueError(
            f"Expected a split of this run, {', '.join(existing)}; received {split!r}. Without one, the first of "
            f"these is evaluated, {existing[0]}"
        )
    return split


def split_note(run: Run, split: str) -> str | None:
    """Which splits a run lacks that would come before the evaluated one, as a note; None where it lacks none."""
    missing = [role for role in SPLITS[: SPLITS.index(split)] if not run.config["data"]["splits"].get(role)]
    return f"the run has no {' and no '.join(missing)} split" if missing else None


@dataclasses.dataclass
class EvaluationContext:
    """A run under evaluation, and how much of it is looked at. The model and the data are loaded on first use.

    Attributes:
        run: the run.
        split: role of the evaluated split: `"test"`, `"validation"` or `"train"`; None becomes the first that exists.
        seed: of everything drawn: codes, samples, which images, dynamic binarization.
        batch_size: images at a time.
        nll_samples: codes for each image in the log-likelihood.
        nll_images: images in the log-likelihood; None is all.
        samples: generated images that are compared with as many real ones.
        max_images: limit of the images that are held in memory for everything else.
        neighbor_images: limit of the training images that copies are looked for among.
        features: what samples are compared by, see `keras_gen.evaluation.FEATURES`, and `"pyramid"`.
        parzen: whether to take the historical Parzen-window log-likelihood.
        progress: called with (what, done, total) while something takes long.
    """

    run: Run
    split: str | None = None
    seed: int = 0
    batch_size: int = 128
    nll_samples: int = 5000
    nll_images: int | None = 500
    samples: int = 1000
    max_images: int = 10_000
    neighbor_images: int = NEIGHBOR_IMAGES
    features: tuple[str, ...] = ("pixels",)
    parzen: bool = False
    progress: Callable[[str, int, int], None] = lambda what, done, total: None

    def __post_init__(self):
        self._held: dict = {}
        self.split = chosen_split(self.run, self.split)

    @cached_property
    def model(self):
        """The trained model."""
        self.progress("loading the model", 0, 0)
        return self.run.load_model()

    def dataset(self, role: str | None = None, **changes) -> tf.data.Dataset:
        """A split as the model is meant to see it: one pass, in order, not augmented, binarized as in training."""
        options = {"batch_size": self.batch_size, "seed": self.seed, "shuffle": False, "augment": ()}
        if hasattr(self.model, "stable_stage"):  # it may not have grown to the end
            options["image_shape"] = self.model.image_shape
        self.progress(f"opening the {role or self.split} split", 0, 0)
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
        role = role or self.split
        read = functools.partial(self.progress, f"reading {role} images")
        return self.once(
            (num, role, *sorted(changes.items())),
            lambda: gather(self.dataset(role, **changes), num, self.seed, progress=read),
        )

    def once(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What `compute` returned when this key was first asked for: several evaluators need it."""
        if key not in self._held:
            self._held[key] = compute()
        return self._held[key]

    @cached_property
    def generated(self) -> np.ndarray:
        """`samples` generated images; a conditional model is given the labels, or the captions, of real images."""
        given = {**draw_noise(self.model.noise(), self.samples, self.seed), **self.conditions(self.samples)}
        images = []
        for start in range(0, self.samples, self.batch_size):
            self.progress("generating samples", start, self.samples)
            rows = slice(start, start + self.batch_size)
            num = min(self.batch_size, self.samples - start)
            part = {name: values[rows] for name, values in given.items()}
            images.append(self.model.generate(num, seed=self.seed, batch_size=num, **part))
        return np.concatenate(images)

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

    def map(
        self, function: Callable[..., tf.Tensor], batch: dict[str, np.ndarray], indexed=False, what="encoding images"
    ) -> np.ndarray:
        """A function of (image, one-hot label or None), such as `model.encode`, over a batch, piece by piece.

        Args:
            function: tensors -> tensor [rows, ...]; it is compiled.
            batch: as `batch` gives it.
            indexed: pass the images' indices in the batch, int32 [rows], as a third argument.
            what: the activity, as progress names it.

        Returns:
            [num, ...].
        """
        compiled = tf.function(function, reduce_retracing=True)
        results = []
        for start in range(0, len(batch["image"]), self.batch_size):
            self.progress(what, start, len(batch["image"]))
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
            self.progress("decoding codes", start, len(codes))
            rows = slice(start, start + self.batch_size)
            label = None if labels is None else tf.one_hot(labels[rows], classes)
            images.append(np.asarray(self.model.decode(tf.constant(codes[rows], tf.float32), label)))
        return np.concatenate(images)


def gather(
    dataset: tf.data.Dataset,
    num: int | None,
    seed: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, np.ndarray]:
    """Examples of a dataset of `keras_gen.data.load`, chosen by a seed, in the dataset's order.

    Args:
        dataset: finite, in a fixed order.
        num: examples, at most; None is all.
        seed: of the choice.
        progress: called with the numbers of images that were read and that are to be read.

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
        progress(min(first, int(chosen[-1]) + 1), int(chosen[-1]) + 1)
        if first > chosen[-1]:
            break
    return {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
