"""What training must know of a data source before the data are loaded."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Mapping

from keras_gen import data
from keras_gen.data.image_files import EXTENSIONS, MAX_PIXELS, read_header
from keras_gen.data.info import UnreadableImage
from keras_gen.data.links import find_files, outside

LOOKED_AT = 32
GRAY = ("1", "L", "LA", "I;16")
HELD = ("names", "smaller", "parts")


@dataclasses.dataclass(frozen=True)
class Source:
    """What a source holds.

    Attributes:
        splits: split -> number of images.
        image_size: (height, width) where all images have the same, else None.
        channels: 1, 3 or 4; 3 where they differ.
        rendered: drawn for this package, so `image_size` is no reason to train at it.
        fields: names of the fields of a batch.
        names: value names of the fields that have them.
        smaller: of two domains, images of each split in the smaller one.
        parts: of two sources, the `names` of both.
    """

    splits: dict[str, int]
    image_size: tuple[int, int] | None
    channels: int
    rendered: bool = False
    fields: tuple[str, ...] = ("image",)
    names: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    smaller: Mapping[str, int] = dataclasses.field(default_factory=dict)
    parts: tuple[Mapping[str, tuple[str, ...]], ...] = ()


def look_at(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, **limits: int) -> Source:
    """Find out what a source holds; a TFDS set is downloaded and prepared where it is not yet.

    Args:
        source: as `keras_gen.data.load` takes it.
        data_dir: TFDS directory.
        **limits: `max_pixels` and `max_member_bytes` of `keras_gen.data.load`, where they are not its own.

    Raises:
        ValueError: for an unknown or empty source.
    """
    described = data.describe(source, data_dir=data_dir, **limits)
    if not described.splits:  # TFDS knows the sizes once the set is prepared
        data.load(source, image_shape=(32, 32, 3), batch_size=1, cache=None, data_dir=data_dir)
        described = data.describe(source, data_dir=data_dir, **limits)
    held = {"fields": tuple(described.fields), **{name: getattr(described, name) for name in HELD}}
    if described.kind == "folder":
        found = _look_into(pathlib.Path(source).expanduser(), limits.get("max_pixels", MAX_PIXELS))
        return Source(described.splits, *found, **held)
    if described.kind == "pair" and described.image_shape is None:
        return Source(described.splits, None, 3, **held)
    if described.image_shape is None:
        raise ValueError(f"{source} has no field 'image' to train on; it has {', '.join(described.fields)}")
    height, width, channels = described.image_shape
    size = None if None in (height, width) else (height, width)
    return Source(described.splits, size, channels or 3, described.kind == "shapes", **held)


def _look_into(folder: pathlib.Path, max_pixels: int) -> tuple[tuple[int, int] | None, int]:
    """Size (None where they differ) and channels of the first images of a folder."""
    sizes, modes = set(), set()
    paths = find_files(folder, folder, EXTENSIONS)[:LOOKED_AT]
    refused = outside(paths, folder)
    for path in paths:
        if path not in refused:
            with contextlib.suppress(UnreadableImage):  # counted and named when the data are loaded
                size, mode = read_header(path, max_pixels)
                sizes.add(size)
                modes.add(mode)
    return sizes.pop() if len(sizes) == 1 else None, 1 if modes and modes.issubset(GRAY) else 3
