"""What a training needs to know about a data source before the images are loaded: sizes, splits, image shape."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, TypedDict

from keras_gen import data
from keras_gen.data.slices import split_names

# larger images are used at their own size only with an explicit --image-size
LARGEST_OWN_SIZE = 64
# without a validation split, validation uses a tenth of the training split, at most this many images
VALIDATION_IMAGES = 5000
# cropping is mentioned where it removes at least this share of the area of the images
_MENTIONED_SHARE = 0.05
# resizing is mentioned where both sides become shorter by at least this factor
_MENTIONED_REDUCTION = 2


class Splits(TypedDict):
    """The split for each role of a run, such as `"train[:90%]"`; None where there is none."""

    train: str
    validation: str | None
    test: str | None


@dataclasses.dataclass(frozen=True)
class SourceInfo:
    """Facts about a data source.

    Attributes:
        splits: split -> number of images.
        image_size: (height, width) where all images have the same size, else None.
        channels: 1, 3 or 4; 3 where the images differ.
        rendered: whether the images are rendered by this package at any size, so that `image_size` says nothing.
        fields: names of the fields of a batch.
        names: field -> names of its values, for the fields that have them.
        smaller: for a pair of domains, split -> number of images in the smaller domain.
        parts: for a pair of sources, the `names` of each.
        value_range: the stored numbers that are black and white.
        notes: sentences about the source that its user should know.
        sizes: (height, width) -> number of images, where the sizes are known.
    """

    splits: Mapping[str, int]
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


def inspect_source(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, **options: Any) -> SourceInfo:
    """Inspects a data source; a TFDS dataset is downloaded and prepared first where that is necessary.

    Args:
        source: a source that `keras_gen.data.load` accepts.
        data_dir: TFDS directory.
        **options: `max_pixels`, `max_member_bytes` and `value_range` of `keras_gen.data.describe`.

    Returns:
        Sizes, splits, fields and notes of the source.

    Raises:
        ValueError: for an unknown or empty source.
    """
    described = data.describe(source, data_dir=data_dir, **options)
    if not described.splits:  # TFDS knows the sizes only of a prepared dataset
        data.load(source, image_shape=(32, 32, 3), batch_size=1, cache=None, data_dir=data_dir)
        described = data.describe(source, data_dir=data_dir, **options)
    return source_from(described)


def source_from(described: data.Description) -> SourceInfo:
    """Returns the facts of a described source that a training needs.

    Args:
        described: the result of `keras_gen.data.describe`.

    Raises:
        ValueError: for a source without images.
    """
    size, sizes, channels = None, described.sizes, described.channels
    if described.image_shape is not None:
        height, width, channels = described.image_shape
        size = None if height is None or width is None else (height, width)
        sizes = {} if size is None else {size: max(described.splits.values())}
    elif described.kind in ("folder", "pair"):
        size = next(iter(sizes)) if len(sizes) == 1 else None
    else:
        raise ValueError(
            f"Expected a source with a field 'image'; received {described.source}, which has "
            f"{', '.join(described.fields)}. Choose another source"
        )
    return SourceInfo(
        described.splits,
        size,
        channels or 3,
        described.kind == "shapes",
        fields=tuple(described.fields),
        names=described.names,
        smaller=described.smaller,
        parts=described.parts,
        value_range=described.value_range,
        notes=described.notes,
        sizes=sizes,
    )


def image_shape_of(
    source: SourceInfo, image_size: tuple[int, int] | None, default: int, photo_size: int | None = None
) -> tuple[int, int, int]:
    """Returns the shape of the images to train on.

    Args:
        source: facts about the data.
        image_size: the requested (height, width). None uses the source's own size where all its images share a square
            size of at most 64 pixels and are not rendered at any size, else `photo_size` where most images are at least
            that large, else `default`.
        default: height and width that suit the system.
        photo_size: the same for photos; None for `default`. Images of unknown sizes are taken for photos.

    Returns:
        (height, width, channels); channels is 1 or 3, since transparency is dropped.
    """
    own = source.image_size
    if image_size is None:
        usable = own is not None and own[0] == own[1] <= LARGEST_OWN_SIZE and not source.rendered
        side = photo_size if photo_size is not None and _are_photos(source, photo_size) else default
        image_size = own if own is not None and usable else (side, side)
    height, width = image_size
    return height, width, 1 if source.channels == 1 else 3


def _are_photos(source: SourceInfo, size: int) -> bool:
    """Returns whether the images are not rendered, and most of them are at least `size` pixels high and wide."""
    if source.rendered:
        return False
    sizes = source.sizes or ({} if source.image_size is None else {source.image_size: 1})
    large = sum(count for own, count in sizes.items() if min(own) >= size)
    return 2 * large >= sum(sizes.values())


def splits_of(source: SourceInfo) -> Splits:
    """Returns the split for each role: `train`, `validation` and `test`.

    `validation` is the source's own, or else the last tenth of `train`. A role without images is None.

    Args:
        source: facts about the data.

    Example:
        >>> splits_of(SourceInfo({"train": 1000}, None, 3))
        {'train': 'train[:-100]', 'validation': 'train[-100:]', 'test': None}
    """
    names = source.splits
    training = "train" if "train" in names else next(iter(names))
    validation = next((name for name in ("validation", "valid", "val") if name in names), None)
    held_out = min(names[training] // 10, VALIDATION_IMAGES)
    if validation is None and source.smaller:
        if source.smaller[training] >= 10:  # a percentage of each domain, since the two may differ in size
            training, validation = f"{training}[:90%]", f"{training}[90%:]"
    elif validation is None and held_out:
        training, validation = f"{training}[:-{held_out}]", f"{training}[-{held_out}:]"
    return {"train": training, "validation": validation, "test": "test" if "test" in names else None}


def without_validation(splits: Splits) -> Splits:
    """Returns the splits of a run without validation; images that were held out return to the training split.

    Args:
        splits: role -> split, with a training and a validation split.
    """
    training, validation = splits["train"], splits["validation"]
    if validation is not None and split_names(training) == split_names(validation):
        training = "+".join(split_names(training))
    return {"train": training, "validation": None, "test": splits["test"]}


def cropped_share(sizes: Mapping[tuple[int, int], int], size: tuple[int, int]) -> float:
    """Returns the share of the images' area that a crop to a size removes, averaged over the images.

    Args:
        sizes: (height, width) -> number of images.
        size: (height, width) of the cropped images.

    Returns:
        A number in [0, 1).

    Example:
        >>> cropped_share({(32, 128): 10}, (32, 32))
        0.75
    """
    shares = [1 - _remaining_share(own, size) for own in sizes]
    return sum(share * count for share, count in zip(shares, sizes.values(), strict=True)) / sum(sizes.values())


def _remaining_share(own: tuple[int, int], size: tuple[int, int]) -> float:
    ratio = own[0] * size[1] / (own[1] * size[0])
    return min(ratio, 1 / ratio)


def resize_note(source: SourceInfo, size: tuple[int, int]) -> str | None:
    """Returns a sentence about images that lose most of their pixels; None where they do not.

    Args:
        source: facts about the data.
        size: (height, width) of the resized images.
    """
    sizes = source.sizes or ({} if source.image_size is None else {source.image_size: 1})
    if source.rendered or not sizes:
        return None
    height, width = max(sizes, key=lambda each: sizes[each])
    if min(height / size[0], width / size[1]) < _MENTIONED_REDUCTION:
        return None
    images = f"Images of {width}x{height} pixels" if len(sizes) == 1 else f"The images (most are {width}x{height})"
    larger = f"{2 * size[0]}" if size[0] == size[1] else f"{2 * size[0]}x{2 * size[1]}"
    return (
        f"{images} are resized to {size[1]}x{size[0]}; --image-size {larger} keeps more detail, and a step takes about "
        "four times as long."
    )


def crop_note(sizes: Mapping[tuple[int, int], int], size: tuple[int, int]) -> str | None:
    """Returns a sentence about what a crop removes; None where it removes little or the sizes are not known.

    Args:
        sizes: (height, width) -> number of images.
        size: (height, width) of the cropped images.
    """
    if not sizes or (share := cropped_share(sizes, size)) < _MENTIONED_SHARE:
        return None
    height, width = max(sizes, key=lambda each: sizes[each])
    images = f"{width}x{height} images" if len(sizes) == 1 else f"the images (most are {width}x{height}), on average"
    return (
        f"Cropping to {size[1]}x{size[0]} (width x height) removes {share:.0%} of the area of {images}. "
        "--view crop=pad keeps all of it, with a border; --image-size HEIGHTxWIDTH chooses another shape."
    )
