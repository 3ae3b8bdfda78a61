"""What training must know of a data source before the data are loaded."""

import dataclasses
import os
from collections.abc import Mapping

from keras_gen import data

HELD = ("names", "smaller", "parts", "value_range", "notes")
# the share of the area of the images from which on cropping is mentioned
_MUCH = 0.05


@dataclasses.dataclass(frozen=True)
class SourceInfo:
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
        value_range: the stored numbers that are black and white.
        notes: sentences about the source that its user should know.
        sizes: (height, width) -> number of images, where that is known.
    """

    splits: dict[str, int]
    image_size: tuple[int, int] | None
    channels: int
    rendered: bool = False
    fields: tuple[str, ...] = ("image",)
    names: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    smaller: Mapping[str, int] = dataclasses.field(default_factory=dict)
    parts: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    value_range: tuple[float, float] = (0.0, 255.0)
    notes: tuple[str, ...] = ()
    sizes: Mapping[tuple[int, int], int] = dataclasses.field(default_factory=dict)


def inspect_source(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, **options) -> SourceInfo:
    """Find out what a source holds; a TFDS set is downloaded and prepared where it is not yet.

    Args:
        source: as `keras_gen.data.load` takes it.
        data_dir: TFDS directory.
        **options: `max_pixels`, `max_member_bytes`, and `value_range` of `keras_gen.data.describe`.

    Raises:
        ValueError: for an unknown or empty source.
    """
    described = data.describe(source, data_dir=data_dir, **options)
    if not described.splits:  # TFDS knows the sizes once the set is prepared
        data.load(source, image_shape=(32, 32, 3), batch_size=1, cache=None, data_dir=data_dir)
        described = data.describe(source, data_dir=data_dir, **options)
    return source_from(described)


def source_from(described: data.Description) -> SourceInfo:
    """What training must know of a source that is described.

    Raises:
        ValueError: for a source without images.
    """
    held = {"fields": tuple(described.fields), **{name: getattr(described, name) for name in HELD}}
    if described.kind == "folder" or described.kind == "pair" and described.image_shape is None:
        size = next(iter(described.sizes)) if len(described.sizes) == 1 else None
        return SourceInfo(described.splits, size, described.channels or 3, sizes=described.sizes, **held)
    if described.image_shape is None:
        raise ValueError(f"{described.source} has no field 'image' to train on; it has {', '.join(described.fields)}")
    height, width, channels = described.image_shape
    size = None if None in (height, width) else (height, width)
    sizes = {} if size is None else {size: max(described.splits.values())}
    return SourceInfo(described.splits, size, channels or 3, described.kind == "shapes", sizes=sizes, **held)


def cropped_share(sizes: Mapping[tuple[int, int], int], size: tuple[int, int]) -> float:
    """The share of the area of images that cropping to a size removes, on average over the images.

    Args:
        sizes: (height, width) -> number of images.
        size: (height, width) that they are cropped to.

    Example:
        >>> cropped_share({(32, 128): 10}, (32, 32))
        0.75
    """
    shares = [1 - _kept(own, size) for own in sizes]
    return sum(share * count for share, count in zip(shares, sizes.values(), strict=True)) / sum(sizes.values())


def _kept(own: tuple[int, int], size: tuple[int, int]) -> float:
    ratio = own[0] * size[1] / (own[1] * size[0])
    return min(ratio, 1 / ratio)


def crop_note(sizes: Mapping[tuple[int, int], int], size: tuple[int, int]) -> str | None:
    """A sentence about what cropping removes, or None where that is little or the sizes are not known."""
    if not sizes or (share := cropped_share(sizes, size)) < _MUCH:
        return None
    height, width = max(sizes, key=sizes.get)
    images = f"{width}x{height} images" if len(sizes) == 1 else f"the images (most are {width}x{height}), on average"
    return (
        f"Cropping to {size[1]}x{size[0]} (width x height) removes {share:.0%} of the area of {images}. "
        "--view crop=pad keeps all of it, with a border; --image-size HEIGHTxWIDTH chooses another shape."
    )
