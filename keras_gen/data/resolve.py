"""Resolves the name of a source, and reads or describes it."""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_gen.archives import MAX_MEMBER_BYTES
from keras_gen.runtime.image_file import MAX_PIXELS

from .cache.decode import decode_and_cache
from .cache.store import Store, choose_cache
from .info import Table
from .options import LoadOptions, positive_integer
from .resize import Resize
from .shapes.source import describe_shapes, read_shapes
from .sources.arrays import describe_arrays, read_arrays
from .sources.folder import describe_folder, read_folder
from .sources.stacked_mnist import PREFIX, describe_stacked, read_stacked
from .sources.tfds import check_split, describe_tfds, read_tfds
from .sources.tfds_builders import EXAMPLES, find_builder, is_tfds_name, prepare, prepared_sets, similar_names
from .sources.unsupported import conversion_hint
from .transforms.domains import DOMAINS, has_domains, join_domains, joined_splits, split_of
from .transforms.merge_attribute_sets import merge_datasets
from .value_range import EIGHT_BITS, Range, check_range, common_range

BUILT_IN = {
    "shapes": "built in: one object of known shape, color, texture, size, position and rotation, 64x64 RGB",
    "shapes/placed": "the same objects, large, centered and upright, so that a patch determines its position",
    "shapes/plain": "the same objects, without textures, centered and upright on white: easy, for a first run",
    "stacked_mnist": "three random digits of mnist as red, green and blue, 1,000 modes, 28x28 RGB",
}


def resolve(source: str | os.PathLike, options: LoadOptions) -> Table:
    """Reads a split of a source.

    Two sources are two domains or, with the option `attributes`, one merged dataset.

    Args:
        source: As in `keras_gen.data.load`.
        options: The options of `keras_gen.data.load`.

    Raises:
        ValueError: If the source is unknown or cannot be read.
    """
    pair = _split_pair(source)
    if pair is None:
        return _read(source, options, paired=False)
    tables = [_read(each, options, paired=True) for each in pair]
    arrays = [identify(each, options.data_dir)[0] == "arrays" for each in pair]
    common_range(pair, [table.value_range for table in tables], arrays)
    return join_domains(*tables) if options.attributes is None else merge_datasets(tables, options.attributes)


def open_table(source: str | os.PathLike, options: LoadOptions) -> Table:
    """Opens a split of a single source, whose images are decoded on demand where that is possible.

    Args:
        source: As in `keras_gen.data.load`.
        options: The options of `keras_gen.data.load`.

    Raises:
        ValueError: If the source is unknown or cannot be read.
    """
    return _open(source, options, Store(options.data_dir), paired=False)


def _read(source: str | os.PathLike, options: LoadOptions, paired: bool) -> Table:
    """Reads a split of a single source; `paired` if it is combined with another one."""
    store = Store(options.data_dir)
    table = _open(source, options, store, paired)
    if identify(source, options.data_dir)[0] in ("tfds", "stacked"):
        return table  # TFDS decodes them
    return decode_and_cache(table, options.cache, options.resize, options.on_error, store)


def _open(source: str | os.PathLike, options: LoadOptions, store: Store, paired: bool) -> Table:
    """Opens a split of a single source; `paired` if it is combined with another one."""
    kind, location = identify(source, options.data_dir)
    value_range = check_range(options.value_range)
    _check_depth(source, kind, value_range, paired)
    split, resize = options.split, options.resize
    if kind == "tfds":
        builder = prepare(find_builder(location, options.data_dir), download=options.download)
        if has_domains(builder.info.splits):
            domains = [_read_tfds(builder, split_of(split, letter), resize, options.cache, store) for letter in "AB"]
            return join_domains(*domains)
        return _read_tfds(builder, split, resize, options.cache, store)
    if kind == "stacked":
        builder = prepare(find_builder(location.removeprefix(PREFIX), options.data_dir), download=options.download)
        return read_stacked(builder, split, resize, cache=options.cache, store=store)
    if kind == "shapes":
        return read_shapes(location, split, resize, options.data_dir)
    return _read_files(kind, location, options, value_range, store)


def _read_files(
    kind: str, location: pathlib.Path, options: LoadOptions, value_range: Range | None, store: Store
) -> Table:
    """Reads a split of an array file or a folder."""
    try:
        if kind == "arrays":
            return read_arrays(
                location,
                options.split,
                options.resize,
                slices=options.slices,
                max_member_bytes=options.max_member_bytes,
                value_range=value_range,
            )
        return read_folder(
            location,
            options.split,
            options.resize,
            max_pixels=options.max_pixels,
            value_range=value_range,
            store=store,
        )
    except OSError as error:
        raise ValueError(f"{location} cannot be read: {error}") from error


def _check_depth(source: str | os.PathLike, kind: str, value_range: Range | None, paired: bool) -> None:
    """Raises a ValueError for a value range of a source of 8-bit images, unless it is meant for the other of a pair."""
    if kind in ("tfds", "shapes", "stacked") and value_range is not None and value_range != EIGHT_BITS:
        if not paired or value_range[1] <= 255:
            raise ValueError(
                f"Expected a folder of images or an array file for value_range; {os.fspath(source)} has images of 8 "
                "bits. Remove value_range."
            )


def _read_tfds(builder: Any, split: str, resize: Resize, cache: str | None, store: Store) -> Table:
    check_split(builder, split)
    where = choose_cache(cache, builder.info.splits[split].num_examples, resize.image_shape)
    return read_tfds(builder, split, resize, cache=where, store=store)


def identify(source: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> tuple[str, Any]:
    """Determines the kind of a source.

    Args:
        source: As in `keras_gen.data.load`.
        data_dir: TFDS directory.

    Returns:
        The kind (see `Description`), and the name, the path or, for a pair, the two sources.

    Raises:
        ValueError: If the source is unknown.
    """
    if pair := _split_pair(source):
        return "pair", pair
    text = os.fspath(source)
    path = pathlib.Path(text).expanduser()
    if path.suffix in (".npy", ".npz"):
        return "arrays", path
    may_be_name = not isinstance(source, os.PathLike) and not text.startswith((".", "~", os.sep))
    if may_be_name and text.partition("/")[0] == "shapes":
        return "shapes", text
    if may_be_name and is_tfds_name(text, data_dir):
        return "tfds", text
    if may_be_name and text.startswith(PREFIX) and is_tfds_name(text.removeprefix(PREFIX), data_dir):
        return "stacked", text
    if path.is_dir():
        return "folder", path
    if hint := conversion_hint(text, path.exists()):
        raise ValueError(f"source={text!r}: {hint}")
    similar = similar_names(text, data_dir) if may_be_name else []
    prepared = ", ".join(prepared_sets(data_dir)) or "none"
    missing = "there is no dataset and no folder of this name"
    problem = "it is a file of an unknown type" if path.exists() else missing
    raise ValueError(
        f"source={text!r}: {problem}."
        + (f" Did you mean {' or '.join(repr(name) for name in similar)}?" if similar else "")
        + f" Expected 'shapes'; 'stacked_mnist'; a TFDS dataset with an image feature ({', '.join(EXAMPLES)}, ...; "
        f"prepared here: {prepared}); a folder of images; an .npy or .npz file; or two of these with a comma, as two "
        "domains or, with attributes, as one merged dataset."
    )


def _split_pair(source: str | os.PathLike) -> tuple[str, ...] | None:
    """Returns the two sources of "A,B", or None for a single source."""
    text = os.fspath(source)
    if text.count(",") == 1 and not isinstance(source, os.PathLike) and not pathlib.Path(text).expanduser().exists():
        return tuple(part.strip() for part in text.split(","))
    return None


@dataclasses.dataclass(frozen=True)
class Description:
    """A description of a source, returned by `describe`.

    Attributes:
        source: The source as passed to `describe`.
        kind: "shapes", "tfds", "stacked", "arrays", "folder" or "pair".
        about: A sentence or two.
        splits: Split -> number of examples, for two domains in the larger one (empty if a TFDS dataset is not prepared
            yet).
        fields: Field -> type and shape.
        names: Field -> names of its values.
        image_shape: (height, width, channels) of the images, in which a side that varies is None; None for a folder.
        left_out: Features that are not in the batches.
        smaller: For two domains, split -> number of examples in the smaller one.
        parts: For a pair, field -> names of its values, for both sources.
        value_range: The stored values that are black and white.
        notes: Sentences that the user should read.
        skipped: For a folder, (file, reason) of every skipped file, as far as the headers show it.
        sizes: For a folder, (height, width) -> number of images.
        channels: For a folder, 1 if all images are gray, otherwise 3; None for other sources.
    """

    source: str
    kind: str
    about: str
    splits: dict[str, int]
    fields: dict[str, str]
    names: dict[str, tuple[str, ...]]
    image_shape: tuple[int | None, int | None, int] | None = None
    left_out: tuple[str, ...] = ()
    smaller: dict[str, int] = dataclasses.field(default_factory=dict)
    parts: tuple[dict[str, tuple[str, ...]], ...] = ()
    value_range: Range = EIGHT_BITS
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    sizes: dict[tuple[int, int], int] = dataclasses.field(default_factory=dict)
    channels: int | None = None


def describe(
    source: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    max_pixels: int = MAX_PIXELS,
    max_member_bytes: int = MAX_MEMBER_BYTES,
    value_range: Sequence[float] | None = None,
) -> Description:
    """Describes a source without downloading it.

    For a folder, the header of every image is read, and images of more than 8 bits are decoded to detect their range.

    Args:
        source: As in `keras_gen.data.load`.
        data_dir: TFDS directory.
        max_pixels: As in `keras_gen.data.load`.
        max_member_bytes: As in `keras_gen.data.load`.
        value_range: As in `keras_gen.data.load`.

    Returns:
        A `Description`.

    Raises:
        ValueError: If the source is unknown, has no images or cannot be read.

    Example:
        >>> describe("shapes").splits["train"]
        20000
    """
    limits = _Limits(
        positive_integer("max_pixels", max_pixels),
        positive_integer("max_member_bytes", max_member_bytes),
        check_range(value_range),
    )
    pair = _split_pair(source)
    if pair is None:
        return _describe(source, data_dir, limits, paired=False)
    return _describe_pair(source, [_describe(each, data_dir, limits, paired=True) for each in pair])


@dataclasses.dataclass(frozen=True)
class _Limits:
    """The options of `describe`.

    Attributes:
        max_pixels: Maximum number of pixels of an image file.
        max_member_bytes: Maximum size of an unpacked array of an .npz file.
        value_range: The stored values that are black and white; None detects them.
    """

    max_pixels: int
    max_member_bytes: int
    value_range: Range | None


def _describe(
    source: str | os.PathLike, data_dir: str | os.PathLike | None, limits: _Limits, paired: bool
) -> Description:
    """Describes a single source; `paired` if it is combined with another one."""
    kind, location = identify(source, data_dir)
    _check_depth(source, kind, limits.value_range, paired)
    if kind == "shapes":
        description = describe_shapes(location)
    elif kind == "tfds":
        description = describe_tfds(find_builder(location, data_dir))
        if has_domains(description["splits"]):
            description["smaller"] = joined_splits(description["splits"], min)
            description["splits"] = joined_splits(description["splits"], max)
            description["fields"] = dict.fromkeys(DOMAINS, description["fields"]["image"])
    elif kind == "stacked":
        description = describe_stacked(find_builder(location.removeprefix(PREFIX), data_dir))
    else:
        try:
            if kind == "arrays":
                description = describe_arrays(location, limits.max_member_bytes, limits.value_range)
            else:
                description = describe_folder(location, limits.max_pixels, limits.value_range)
        except OSError as error:
            raise ValueError(f"{location} cannot be read: {error}") from error
    return Description(source=os.fspath(source), kind=kind, **description)


def _describe_pair(source: str | os.PathLike, parts: Sequence[Description]) -> Description:
    first, second = parts
    counts = {name: (first.splits[name], second.splits[name]) for name in first.splits if name in second.splits}
    if not counts and first.splits and second.splits:
        raise ValueError(f"Expected a common split; {first.source} and {second.source} have no split of the same name.")
    fields: dict[str, str] = {}
    names: dict[str, tuple[str, ...]] = {}
    for letter, part in zip("ab", parts, strict=True):
        fields[f"domain_{letter}"] = part.fields["image"]
        if "label" in part.fields:
            fields[f"label_{letter}"] = part.fields["label"]
        if "label" in part.names:
            names[f"label_{letter}"] = part.names["label"]
    notes = [
        note if note in first.notes and note in second.notes else f"{part.source}: {note}"
        for part in parts
        for note in part.notes
    ]
    return Description(
        source=os.fspath(source),
        kind="pair",
        about=f"Two unpaired domains, or two sets of attributes: {first.source} and {second.source}.",
        splits={name: max(pair) for name, pair in counts.items()},
        fields=fields,
        names=names,
        image_shape=_larger_shape(first.image_shape, second.image_shape),
        smaller={name: min(pair) for name, pair in counts.items()},
        parts=(first.names, second.names),
        value_range=common_range(
            [part.source for part in parts],
            [part.value_range for part in parts],
            [part.kind == "arrays" for part in parts],
        ),
        notes=tuple(dict.fromkeys(notes)),
        skipped=(*first.skipped, *second.skipped),
        sizes=dict(Counter(first.sizes) + Counter(second.sizes)) if first.sizes and second.sizes else {},
        channels=_more_channels(first, second),
    )


def _larger_shape(
    first: tuple[int | None, int | None, int] | None, second: tuple[int | None, int | None, int] | None
) -> tuple[int, int, int] | None:
    """Returns the maximum of every axis, or None if one of them is unknown."""
    if first is None or second is None:
        return None
    height, width, channels = (max(a, b) if a and b else None for a, b in zip(first, second, strict=True))
    return None if height is None or width is None or channels is None else (height, width, channels)


def _more_channels(first: Description, second: Description) -> int | None:
    """Returns the larger number of channels, or None if one of them is unknown."""
    a, b = (each.channels or (each.image_shape[2] if each.image_shape else None) for each in (first, second))
    return max(a, b) if a and b else None


def list_sources(*, data_dir: str | os.PathLike | None = None) -> dict[str, str]:
    """Lists the sources of `load`.

    Args:
        data_dir: TFDS directory.

    Returns:
        Name or kind -> one line about it: `shapes`, the TFDS datasets that are prepared in `data_dir`, and the kinds.

    Example:
        >>> list(list_sources())[0]
        'shapes'
    """
    sources = dict(BUILT_IN)
    sources |= {name: "TFDS, prepared" for name in prepared_sets(data_dir) if name != "shapes"}
    sources["any TFDS name"] = f"datasets with an image feature, downloaded at first use: {', '.join(EXAMPLES)}, ..."
    sources["a folder"] = (
        "PNG, JPEG, WebP, BMP, GIF, TIFF; flat, class folders, metadata.csv or .jsonl, trainA/trainB/testA/testB"
    )
    sources["two of these, as A,B"] = "two unpaired domains (mnist,usps), or two datasets with different attributes"
    sources["a file"] = ".npz or .npy: integers (0 to 255, or --value-range) or floats (0 to 1), with labels and others"
    return sources
