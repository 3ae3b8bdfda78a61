"""The description of a loaded dataset, and the table that a source passes on to the pipeline."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .value_range import EIGHT_BITS, Range

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class DataInfo:
    """A description of a dataset of `keras_gen.data.load`, available as `dataset.info`.

    Attributes:
        source: The source as passed to `load` ("mnist", a path, "shapes").
        split: The split as passed to `load` ("train[:90%]").
        num_examples: Examples in the split; for two domains, in the larger one.
        num_batches: Batches per epoch.
        num_images: Image field -> number of images.
        image_shape: (height, width, channels) of every image.
        label_names: Name of each value of `label`; None if there is no label or it has no names.
        attribute_names: Name of each entry of the vector `attributes`, or None.
        names: Field -> names of its values, for every field that has them (including `label` and `attributes`).
        fields: Field -> `tf.TensorSpec` of its entry in a batch.
        skipped: (file, reason) of every skipped file: it cannot be read, does not have an image extension, or is not
            listed in the metadata file.
        left_out: Features of the source that are neither images, scalars nor vectors, and are not in the batches.
        seed: The seed of order, augmentation and binarization.
        fingerprint: 16 hexadecimal digits that change when the examples of the split change: the content, number,
            order or shape of the images, or their labels, attributes or captions. Copying or moving a source does not
            change its fingerprint. For a TFDS dataset, the name, version and files are compared, not the content.
        value_range: The stored values that are black (0.0 in a batch) and white (1.0).
        notes: Sentences that the user should read, such as conversions.
        binarize: The binarization; if `binarize="auto"`, the one that was selected.
    """

    source: str
    split: str
    num_examples: int
    num_batches: int
    num_images: dict[str, int]
    image_shape: tuple[int, int, int]
    label_names: tuple[str, ...] | None
    attribute_names: tuple[str, ...] | None
    names: dict[str, tuple[str, ...]]
    fields: "dict[str, tf.TensorSpec]"
    skipped: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    seed: int
    fingerprint: str
    value_range: Range = EIGHT_BITS
    notes: tuple[str, ...] = ()
    binarize: str | None = None


@dataclasses.dataclass(frozen=True)
class Images:
    """The images of one field in a fixed order: either an array, or a function that reads one image.

    Attributes:
        count: Number of images.
        dtype: `uint8` (0 to 255) or `float32` (0 to 1).
        array: [count, h, w, c] in memory or memory-mapped, or None.
        read: Function from an index to [h, w, c], for images that are decoded on demand, or None.
        fallible: Whether `read` may raise `UnreadableImage`.
    """

    count: int
    dtype: np.dtype
    array: np.ndarray | None = None
    read: Callable[[int], np.ndarray] | None = None
    fallible: bool = False

    def get(self, index: int) -> np.ndarray:
        """Returns one image, [h, w, c]."""
        if self.array is not None:
            return self.array[index]
        if self.read is None:
            raise ValueError("Expected images with an array or a function that reads them; received neither.")
        return self.read(index)

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """Returns the images at the given rows, [len(rows), h, w, c]."""
        return self.array[rows] if self.array is not None else np.stack([self.get(int(row)) for row in rows])

    def select(self, rows: np.ndarray) -> "Images":
        """Returns a subset of the images in the order of `rows`; an array is copied, other images stay undecoded."""
        if self.array is not None:
            return dataclasses.replace(self, count=len(rows), array=self.array[rows])
        return dataclasses.replace(self, count=len(rows), read=lambda index: self.get(int(rows[index])))


class ExampleStream(Protocol):
    """Examples without random access, decoded on demand.

    Attributes:
        mapping: Field -> (feature of the source, kind); see `keras_gen.data.sources.tfds.map_features`.
    """

    mapping: dict[str, tuple[str, str]]

    def __call__(self, seeds: "tf.Tensor | None") -> "tf.data.Dataset":
        """Returns a dataset of (index, encoded example).

        Args:
            seeds: int64 [2], which determine the order; None for the order of the files.
        """
        ...

    def decode(self, record: Any) -> "dict[str, tf.Tensor]":
        """Decodes one example and resizes its image."""
        ...


class MappedStream:
    """A stream whose decoded examples are passed through a function.

    Args:
        stream: The stream.
        transform: Function from one decoded example (field -> tensor) to another.
        mapping: The fields that the function adds or replaces, as in `ExampleStream.mapping`.
    """

    def __init__(
        self, stream: ExampleStream, transform: Callable[[dict], dict], mapping: Mapping[str, tuple[str, str]]
    ):
        self.stream, self.transform = stream, transform
        self.mapping = {**stream.mapping, **mapping}

    def __call__(self, seeds: "tf.Tensor | None") -> "tf.data.Dataset":
        """Returns the dataset of the wrapped stream."""
        return self.stream(seeds)

    def decode(self, record: Any) -> "dict[str, tf.Tensor]":
        """Decodes one example and transforms it."""
        return self.transform(self.stream.decode(record))


@dataclasses.dataclass(frozen=True)
class Table:
    """One split of a source: images in a fixed order, with their labels and other columns.

    Attributes:
        images: Image field -> images; one entry, or `domain_a` and `domain_b`, whose counts may differ.
        columns: Other field -> array [count, ...].
        names: Field -> names of its values.
        fingerprint: Hash of the examples.
        skipped: (file, reason) of every skipped file.
        left_out: Features of the source that are not in the batches.
        stream: For examples without random access; `images` and `columns` are then empty.
        count: Number of examples of `stream`.
        owners: Column -> image field that it belongs to, if that is not the first one.
        value_range: The stored values that are black and white.
        notes: Sentences that the user should read.
    """

    images: dict[str, Images]
    columns: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...]]
    fingerprint: str
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    stream: ExampleStream | None = None
    count: int = 0
    owners: dict[str, str] = dataclasses.field(default_factory=dict)
    value_range: Range = EIGHT_BITS
    notes: tuple[str, ...] = ()

    @property
    def num_examples(self) -> int:
        """Examples per pass; for two domains, in the larger one."""
        return self.count if self.stream is not None else max(images.count for images in self.images.values())

    @property
    def fields(self) -> list[str]:
        """Names of the fields of an example."""
        return [*self.images, *self.columns] if self.stream is None else list(self.stream.mapping)

    def require_random_access(self, purpose: str) -> None:
        """Raises a ValueError with a remedy if the examples are a stream.

        Args:
            purpose: What needs random access, as the subject of a sentence in the plural.
        """
        if self.stream is not None:
            raise ValueError(
                f"{purpose} need random access to the images; received a stream. Pass cache='memory' or cache='disk'."
            )


def fingerprint_of(parts: Sequence[Any]) -> str:
    """Returns a hash of several values, as hexadecimal digits.

    Args:
        parts: Values whose `str` identifies them.
    """
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
