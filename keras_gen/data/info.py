"""What a loaded data set is, and how the sources hand it to the pipeline."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class DataInfo:
    """What a data set made by `keras_gen.data.load` holds; found as `dataset.info`.

    Attributes:
        source: the source as it was asked for ("mnist", a path, "shapes").
        split: the split as it was asked for ("train[:90%]").
        num_examples: examples in the split; for two domains, in the larger one.
        num_batches: batches in one epoch.
        num_images: examples of every field of images, by field.
        image_shape: (height, width, channels) of every image.
        label_names: name of each value of `label`, or None where there is no label or it has no names.
        attribute_names: name of each entry of the vector `attributes`, or None.
        names: value names of every field that has them, by field (`label` and `attributes` among them).
        fields: `tf.TensorSpec` of every entry of a batch, by field.
        skipped: (file, reason) of every file that is left out: it cannot be read, has another extension than images, or
            is not named by the metadata file.
        left_out: features of the source that are no image, scalar or vector, and are therefore not carried along.
        seed: the seed of order, augmentation and binarization.
        fingerprint: 16 hexadecimal digits that change when the examples of the split change: the content of the
            images, their number, order or shape, and what goes with them (labels, attributes, captions). A source that
            was copied or moved keeps its fingerprint. Of a TFDS set the name, version and files are compared, not the
            content.
        value_range: the stored number that is black (0.0 in a batch) and the one that is white (1.0).
        notes: sentences about the source that its user should know, such as what was converted.
        binarize: how the images are binarized, with `binarize="auto"` what was chosen.
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
    value_range: tuple[float, float] = (0.0, 255.0)
    notes: tuple[str, ...] = ()
    binarize: str | None = None


class UnreadableImage(ValueError):
    """A file that is no readable image; carries the file's name and the reason."""

    def __init__(self, file: pathlib.Path | str, reason: str):
        super().__init__(f"{file}: {reason}")
        self.file = str(file)
        self.reason = reason


def positive(name: str, value: int) -> int:
    """A positive integer; the ValueError of anything else names the argument."""
    if isinstance(value, (bool, str)) or int(value) != value or value < 1:
        raise ValueError(f"{name} is a positive integer; got {value!r}.")
    return int(value)


@dataclasses.dataclass(frozen=True)
class Images:
    """The images of one field, in a fixed order: held in an array, or read one by one.

    Attributes:
        count: how many.
        dtype: `uint8` (0 to 255) or `float32` (0 to 1).
        array: [count, h, w, c] in memory or memory-mapped, or None.
        read: index -> [h, w, c], for images that are read when they are needed, or None.
        fallible: whether `read` may raise `UnreadableImage`.
    """

    count: int
    dtype: np.dtype
    array: np.ndarray | None = None
    read: Callable[[int], np.ndarray] | None = None
    fallible: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A source, resolved: images with a fixed order, and the columns that go with them.

    Attributes:
        images: by field; one entry, or `domain_a` and `domain_b`, whose counts may differ.
        columns: other fields, each [count, ...].
        names: value names by field.
        skipped: (file, reason) of files that are left out.
        left_out: features that are not carried along.
        fingerprint: identity of what was read.
        stream: where the examples come in sequence only: `stream(seeds)` makes a data set of (index, encoded example),
            `stream.decode` a row of one, `stream.mapping` has the fields.
        count: examples, where `stream` is given.
        owners: column -> image field that it belongs to, where that is not the first.
        value_range: the stored numbers that are black and white.
        notes: sentences about the source that its user should know.
    """

    images: dict[str, Images]
    columns: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...]]
    fingerprint: str
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    stream: Any = None
    count: int = 0
    owners: dict[str, str] = dataclasses.field(default_factory=dict)
    value_range: tuple[float, float] = (0.0, 255.0)
    notes: tuple[str, ...] = ()
