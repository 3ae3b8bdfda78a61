"""The context of an evaluation: a run with its model, and images of its data."""

import dataclasses
import functools
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.distributions import draw_noise
from keras_gen.models.core.protocols import Grows, HasClasses, HasText
from keras_gen.runs import Run

from .config import MAX_NEIGHBOR_IMAGES, SPLITS
from .seeding import seeded_permutation
from .types import Progress, ProgressReport, no_progress, no_report


def choose_split(run: Run, split: str | None = None) -> str:
    """Returns the split that is evaluated: the requested one, or the first of test, validation and train.

    Raises:
        ValueError: for an unknown split, or one that the run does not have.
    """
    existing = [role for role in SPLITS if run.config["data"]["splits"].get(role)]
    if not split:
        return existing[0]
    if split not in SPLITS:
        raise ValueError(f"Expected a split out of {', '.join(SPLITS)}; received {split!r}")
    if split not in existing:
        raise ValueError(
            f"Expected a split of this run, {', '.join(existing)}; received {split!r}. Without this option the split "
            f"{existing[0]} is evaluated"
        )
    return split


def split_note(run: Run, split: str) -> str | None:
    """Returns a note about preferred splits that the run lacks, or None."""
    missing = [role for role in SPLITS[: SPLITS.index(split)] if not run.config["data"]["splits"].get(role)]
    return f"the run has no {' and no '.join(missing)} split" if missing else None


@dataclasses.dataclass
class EvaluationContext:
    """A run under evaluation with the options of the evaluation. Model and data are loaded on first use.

    Attributes:
        run: the run.
        split: the evaluated split: `"test"`, `"validation"` or `"train"`; empty is the first of these that the run has.
        seed: seed of codes, samples, the choice of images and dynamic binarization.
        batch_size: images per batch.
        nll_samples: codes per image in the log-likelihood.
        nll_images: images in the log-likelihood; None is all.
        samples: generated images that are compared with as many real ones.
        max_images: maximum number of images in memory, for all other metrics.
        neighbor_images: maximum number of training images that are searched for nearest neighbors.
        features: features by which samples are compared besides the default ones, see `features.extractors.FEATURES`,
            and `"pyramid"`.
        parzen: whether to compute the Parzen-window log-likelihood.
        progress: called with (activity, steps done, steps in total) during long computations.
    """

    run: Run
    split: str = ""
    seed: int = 0
    batch_size: int = 128
    nll_samples: int = 5000
    nll_images: int | None = 500
    samples: int = 1000
    max_images: int = 10_000
    neighbor_images: int = MAX_NEIGHBOR_IMAGES
    features: tuple[str, ...] = ("small_v1",)
    parzen: bool = False
    progress: ProgressReport = no_report

    def __post_init__(self):
        self._cache: dict[Hashable, Any] = {}
        self.split = choose_split(self.run, self.split)

    @cached_property
    def model(self) -> Any:
        """The trained model. An evaluator relies on the endpoints and protocols that it requires, not on a class."""
        self.progress("loading the model", 0, 0)
        return self.run.load_model()

    @cached_property
    def num_classes(self) -> int | None:
        """Number of classes that the model is conditioned on, or None."""
        return self.model.num_classes if isinstance(self.model, HasClasses) else None

    def dataset(self, role: str | None = None, **changes: Any) -> tf.data.Dataset:
        """Returns one ordered pass over a split, without augmentation and binarized as in training.

        Args:
            role: the split; None is the evaluated one.
            **changes: arguments of `keras_gen.data.load` to change.
        """
        role = role or self.split
        options: dict[str, Any] = {
            "batch_size": self.batch_size,
            "seed": self.seed,
            "shuffle": False,
            "augment": (),
            "steps": None,
            "drop_remainder": False,
        }
        if isinstance(self.model, Grows):  # the model may not have reached its last resolution
            options["image_shape"] = self.model.image_shape
        self.progress(f"opening the {role} split", 0, 0)
        return self.run.dataset(role, **{**options, **changes})

    def count(self, role: str | None = None) -> int:
        """Returns the number of images in a split; None is the evaluated one."""
        return self.dataset(role).info.num_examples

    def batch(self, num: int | None = None, role: str | None = None, **changes: Any) -> dict[str, np.ndarray]:
        """Returns examples of a split, chosen without replacement by the seed; every call returns the same ones.

        Args:
            num: maximum number of examples; None is the whole split.
            role: the split; None is the evaluated one.
            **changes: arguments of `keras_gen.data.load` to change, e.g. `binarize=None`.

        Returns:
            field -> array; `image` is float32 [num, height, width, channels].
        """
        role = role or self.split
        progress = functools.partial(self.progress, f"reading {role} images")
        return self.cached(
            (num, role, *sorted(changes.items())),
            lambda: gather(self.dataset(role, **changes), num, self.seed, progress=progress),
        )

    def cached(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Returns the result of `compute`, which runs only once for each key."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    @cached_property
    def generated_images(self) -> np.ndarray:
        """`samples` generated images; a conditional model receives labels or captions of real images."""
        inputs = {**draw_noise(self.model.noise(), self.samples, self.seed), **self.conditions(self.samples)}

        def generate(rows: slice) -> np.ndarray:
            num = rows.stop - rows.start
            part = {name: values[rows] for name, values in inputs.items()}
            return self.model.generate(num, seed=self.seed, batch_size=num, **part)

        return map_batches(
            generate, self.samples, self.batch_size, functools.partial(self.progress, "generating samples")
        )

    def conditions(self, num: int) -> dict[str, np.ndarray]:
        """Returns the conditions of `num` generated images: labels or tokens of real images, or nothing."""
        if isinstance(self.model, HasText):
            return {"tokens": self.caption_batch(num)["tokens"]}
        if not self.num_classes:
            return {}
        labels = self.batch(num)["label"]
        # in random order: a metric may use only the first samples, and the data may be sorted by class
        order = seeded_permutation(len(labels), self.seed)
        return {"label": np.resize(labels[order], num)}

    def caption_batch(self, num: int, role: str | None = None) -> dict[str, np.ndarray]:
        """Returns examples with captions and their `tokens`, in random order.

        Args:
            num: number of examples. The evaluated split repeats where it has fewer; any other has fewer.
            role: the split; None is the evaluated one.

        Raises:
            ValueError: for data without captions.
        """
        batch = self.batch(num, role)
        if "caption" not in batch:
            source = self.run.config["data"]["source"]
            raise ValueError(f"Expected data with captions; received {source} with the fields {', '.join(batch)}")
        order = seeded_permutation(len(batch["image"]), self.seed)
        rows = np.resize(order, num if role is None else min(num, len(order)))
        examples = {field: values[rows] for field, values in batch.items()}
        return {**examples, "tokens": self.model.tokenizer(list(examples["caption"]))}

    @property
    def zoom(self) -> int:
        """Enlargement of small images in pictures, >= 1."""
        return max(1, 64 // self.run.image_shape[0])

    def labels(self, batch: dict[str, np.ndarray]) -> np.ndarray | None:
        """Returns the labels of a batch for a class-conditional model, else None."""
        return batch["label"] if self.num_classes else None

    def map(
        self,
        function: Callable[..., tf.Tensor],
        batch: dict[str, np.ndarray],
        pass_indices: bool = False,
        activity: str = "encoding images",
    ) -> np.ndarray:
        """Applies a function of (image, one-hot label or None), such as `model.encode`, to a batch, part by part.

        Args:
            function: tensors -> tensor [rows, ...]; it is compiled.
            batch: as `batch` returns it.
            pass_indices: pass the images' indices in the batch, int32 [rows], as a third argument.
            activity: name of the activity in the progress.

        Returns:
            [num, ...].
        """
        compiled = tf.function(function, reduce_retracing=True)

        def apply(rows: slice) -> np.ndarray:
            part = {key: tf.constant(batch[key][rows]) for key in ("image", "label") if key in batch}
            indices = (rows.start + tf.range(len(part["image"])),) if pass_indices else ()
            return compiled(part["image"], self.model.label_of(part), *indices).numpy()

        progress = functools.partial(self.progress, activity)
        return map_batches(apply, len(batch["image"]), self.batch_size, progress)

    def decode(self, codes: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Returns the images of codes.

        Args:
            codes: [num, size].
            labels: integers [num] for a class-conditional model; None is class 0.
        """
        classes = self.num_classes
        if not classes:
            labels = None
        elif labels is None:
            labels = np.zeros(len(codes), np.int32)

        def decode(rows: slice) -> tf.Tensor:
            label = None if labels is None else tf.one_hot(labels[rows], classes)
            return self.model.decode(tf.constant(codes[rows], tf.float32), label)

        return map_batches(decode, len(codes), self.batch_size, functools.partial(self.progress, "decoding codes"))


def gather(
    dataset: tf.data.Dataset, num: int | None, seed: int, *, progress: Progress = no_progress
) -> dict[str, np.ndarray]:
    """Returns examples of a dataset of `keras_gen.data.load`, chosen by a seed, in the order of the dataset.

    Args:
        dataset: finite, in a fixed order.
        num: maximum number of examples; None is all.
        seed: seed of the choice.
        progress: called with (images read, images to read).

    Returns:
        field -> array.
    """
    chosen = np.sort(seeded_permutation(dataset.info.num_examples, seed)[:num])
    parts, first, last = [], 0, int(chosen[-1])
    for batch in dataset.as_numpy_iterator():
        rows = len(next(iter(batch.values())))
        inside = chosen[(chosen >= first) & (chosen < first + rows)] - first
        if len(inside):
            parts.append({field: values[inside] for field, values in batch.items()})
        first += rows
        progress(min(first, last + 1), last + 1)
        if first > last:
            break
    return {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
