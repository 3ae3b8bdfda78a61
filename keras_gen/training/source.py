"""What training must know of a data source before the data are loaded."""

import ast
import dataclasses
import os

from keras_gen.data.arrays import describe_arrays
from keras_gen.data.sources import identify
from keras_gen.data.tfds_builders import find_builder, prepare


@dataclasses.dataclass(frozen=True)
class Source:
    """What a source holds.

    Attributes:
        splits: split -> number of images.
        image_size: (height, width) where all images have the same, else None.
        channels: 1, 3 or 4; 3 where they differ.
        rendered: drawn at any size, so `image_size` is no reason to train at it.
    """

    splits: dict[str, int]
    image_size: tuple[int, int] | None
    channels: int
    rendered: bool = False


def look_at(source: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> Source:
    """Read a source's description; a TFDS set is prepared where it is not yet."""
    kind, place = identify(source, data_dir)
    if kind == "arrays":
        description = describe_arrays(place)
        shape = ast.literal_eval(description["fields"]["image"].split(" ", 1)[1])
        shape = (*shape, 1) if len(shape) == 2 else tuple(shape)
        return Source(description["splits"], shape[:2], shape[2])
    info = prepare(find_builder(place, data_dir)).info
    shape = info.features["image"].shape
    return Source(
        {name: split.num_examples for name, split in info.splits.items()},
        None if None in shape[:2] else tuple(shape[:2]),
        shape[2] or 3,
        rendered=str(source) == "shapes",
    )
