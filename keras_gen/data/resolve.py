"""From the text that names a source to its table."""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_gen.archives import MAX_MEMBER_BYTES

from .cache.decode import decode_and_cache
from .cache.store import Store, choose_cache
from .info import Table, positive
from .resize import Resize
from .shapes.source import describe_shapes, read_shapes
from .sources.arrays import describe_arrays, read_arrays
from .sources.folder import describe_folder, read_folder
from .sources.image_file import MAX_PIXELS
from .sources.stacked_mnist import PREFIX, describe_stacked, read_stacked
from .sources.tfds import check_split, describe_tfds, read_tfds
from .sources.tfds_builders import EXAMPLES, find_builder, is_tfds_name, prepare, prepared_sets, similar_names
from .sources.unread import hint_for
from .transforms.domains import DOMAINS, has_domains, join, joined_splits, split_of
from .transforms.merge_attribute_sets import unite
from .value_range import EIGHT_BITS, Range, check_range, common_range

BUILT_IN = {
    "shapes": "built in: one object of known shape, color, texture, size, place and rotation, 64x64 RGB",
    "shapes/placed": "the same objects, large, centered and upright, so that a part tells its place",
    "stacked_mnist": "three random digits of mnist as red, green and blue, 1,000 modes, 28x28 RGB",
}


def resolve(
    source: str | os.PathLike,
    split: str,
    fit: Resize,
    *,
    cache: str | None,
    on_error: str,
    data_dir: str | os.PathLike | None,
    download: bool,
    attributes: Sequence[str] | None = None,
    slices: str = "random",
    max_pixels: int = MAX_PIXELS,
    max_member_bytes: int = MAX_MEMBER_BYTES,
    value_range: Range | None = None,
    paired: bool = False,
) -> Table:
    """Find a source and read one of its splits; the arguments are those of `keras_gen.data.load`.

    Two sources are two domains or, with `attributes`, one set that knows for each image what its source knows; each of
    them is `paired`.
    """
    kind, place = identify(source, data_dir)
    _check_depth(source, kind, value_range, paired)
    store = Store(data_dir)
    if kind == "tfds":
        builder = prepare(find_builder(place, data_dir), download=download)
        if has_domains(builder.info.splits):
            return join(*(_read_tfds(builder, split_of(split, letter), fit, cache, store) for letter in "AB"))
        return _read_tfds(builder, split, fit, cache, store)
    if kind == "pair":
        options = {"cache": cache, "on_error": on_error, "data_dir": data_dir, "download": download, "slices": slices}
        options |= {"max_pixels": max_pixels, "max_member_bytes": max_member_bytes, "value_range": value_range}
        both = [resolve(each, split, fit, paired=True, **options) for each in place]
        arrays = [identify(each, data_dir)[0] == "arrays" for each in place]
        common_range(place, [table.value_range for table in both], arrays)
        return join(*both) if attributes is None else unite(both, attributes)
    if kind == "stacked":
        builder = prepare(find_builder(place.removeprefix(PREFIX), data_dir), download=download)
        return read_stacked(builder, split, fit, cache=cache, store=store)
    if kind == "shapes":
        table = read_shapes(place, split, fit, data_dir)
    else:
        try:
            if kind == "arrays":
                options = {"slices": slices, "max_member_bytes": max_member_bytes, "value_range": value_range}
                table = read_arrays(place, split, fit, **options)
            else:
                options = {"max_pixels": max_pixels, "value_range": value_range, "store": store}
                table = read_folder(place, split, fit, **options)
        except OSError as error:
            raise ValueError(f"{place} cannot be read: {error}") from error
    return decode_and_cache(table, cache, fit, on_error, store)


def _check_depth(source, kind: str, value_range: Range | None, paired: bool) -> None:
    """Refuses a value range for a source of 8-bit images; beside one with more bits it does not concern them."""
    if kind in ("tfds", "shapes", "stacked") and value_range not in (None, EIGHT_BITS):
        if not paired or value_range[1] <= 255:
            raise ValueError(
                f"value_range is for folders of images and array files; {os.fspath(source)} holds images of 8 bits. "
                "Leave it out."
            )


def _read_tfds(builder: Any, split: str, fit: Resize, cache: str | None, store: Store) -> Table:
    check_split(builder, split)
    how = choose_cache(cache, builder.info.splits[split].num_examples, fit.image_shape)
    return read_tfds(builder, split, fit, cache=how, store=store)


def identify(source: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> tuple[str, Any]:
    """Say what a source is: a kind of `Description`, and its name, its path or, of a pair, the two sources.

    Raises:
        ValueError: nothing of that name is known.
    """
    text = os.fspath(source)
    path = pathlib.Path(text).expanduser()
    if text.count(",") == 1 and not isinstance(source, os.PathLike) and not path.exists():
        return "pair", tuple(part.strip() for part in text.split(","))
    if path.suffix in (".npy", ".npz"):
        return "arrays", path
    named = not isinstance(source, os.PathLike) and not text.startswith((".", "~", os.sep))
    if named and text.partition("/")[0] == "shapes":
        return "shapes", text
    if named and is_tfds_name(text, data_dir):
        return "tfds", text
    if named and text.startswith(PREFIX) and is_tfds_name(text.removeprefix(PREFIX), data_dir):
        return "stacked", text
    if path.is_dir():
        return "folder", path
    if hint := hint_for(text, path.exists()):
        raise ValueError(f"source={text!r}: {hint}")
    close = similar_names(text, data_dir) if named else []
    prepared = ", ".join(prepared_sets(data_dir)) or "none"
    nothing = "there is no data set and no folder of this name"
    found = "it is a file of a kind that is not known" if path.exists() else nothing
    raise ValueError(
        f"source={text!r}: {found}."
        + (f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else "")
        + f" Known: 'shapes'; 'stacked_mnist'; TFDS sets with an image feature ({', '.join(EXAMPLES)}, ...; prepared "
        f"here: {prepared}); "
        f"a folder of images; an .npy or .npz file; two of these with a comma, as two domains or, with attributes, as "
        "one set."
    )


@dataclasses.dataclass(frozen=True)
class Description:
    """What a source holds; made by `describe`.

    Attributes:
        source: as it was asked for.
        kind: "shapes", "tfds", "stacked", "arrays", "folder" or "pair".
        about: a sentence or two.
        splits: name -> number of examples (empty where a TFDS set is not prepared yet); of two domains, in the larger.
        fields: name -> type and shape.
        names: value names, by field.
        image_shape: (height, width, channels) of the images, None for a side that differs between them; None as a
            whole for a folder.
        left_out: features that are not carried along.
        smaller: of two domains, name of a split -> number of examples in the smaller one.
        parts: of a pair, the value names of both, by field.
        value_range: the stored numbers that are black and white.
        notes: sentences about the source that its user should know.
        skipped: of a folder, (file, reason) of every file that is left out, as far as the headers say.
        sizes: of a folder, (height, width) -> number of images.
        channels: of folders, 1 where all images are gray, else 3; else None.
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
    """Says what a source holds, without downloading it.

    Of a folder the header of every image is read, and images of more than 8 bits are decoded to detect their range.

    Args:
        source: as in `keras_gen.data.load`.
        data_dir: TFDS directory.
        max_pixels, max_member_bytes, value_range: as in `keras_gen.data.load`.

    Returns:
        A `Description`.

    Raises:
        ValueError: an unknown source, an empty folder, an array file without images, what cannot be read.

    Example:
        >>> describe("shapes").splits["train"]
        20000
    """
    limits = {
        "max_pixels": positive("max_pixels", max_pixels),
        "max_member_bytes": positive("max_member_bytes", max_member_bytes),
    }
    return _describe(source, data_dir, limits, check_range(value_range))


def _describe(
    source: str | os.PathLike,
    data_dir: str | os.PathLike | None,
    limits: dict[str, int],
    value_range: Range | None,
    paired: bool = False,
) -> Description:
    kind, place = identify(source, data_dir)
    _check_depth(source, kind, value_range, paired)
    if kind == "shapes":
        found = describe_shapes(place)
    elif kind == "tfds":
        found = describe_tfds(find_builder(place, data_dir))
        if has_domains(found["splits"]):
            found["smaller"] = joined_splits(found["splits"], min)
            found["splits"] = joined_splits(found["splits"], max)
            found["fields"] = dict.fromkeys(DOMAINS, found["fields"]["image"])
    elif kind == "pair":
        found = _describe_pair([_describe(each, data_dir, limits, value_range, paired=True) for each in place])
    elif kind == "stacked":
        found = describe_stacked(find_builder(place.removeprefix(PREFIX), data_dir))
    else:
        try:
            if kind == "arrays":
                found = describe_arrays(place, limits["max_member_bytes"], value_range)
            else:
                found = describe_folder(place, limits["max_pixels"], value_range)
        except OSError as error:
            raise ValueError(f"{place} cannot be read: {error}") from error
    return Description(source=os.fspath(source), kind=kind, **found)


def _describe_pair(both: list[Description]) -> dict[str, Any]:
    first, second = both
    shapes = [each.image_shape for each in both]
    shape = (
        tuple(max(sides) for sides in zip(*shapes, strict=True)) if all(s and None not in s for s in shapes) else None
    )
    counts = {name: (first.splits[name], second.splits[name]) for name in first.splits if name in second.splits}
    splits, smaller = ({name: choose(pair) for name, pair in counts.items()} for choose in (max, min))
    if not splits and first.splits and second.splits:
        raise ValueError(f"{first.source} and {second.source} have no split of the same name.")
    fields, names = {}, {}
    for letter, each in zip("ab", both, strict=True):
        fields[f"domain_{letter}"] = each.fields["image"]
        fields |= {f"label_{letter}": each.fields["label"]} if "label" in each.fields else {}
        names |= {f"label_{letter}": each.names["label"]} if "label" in each.names else {}
    about = f"Two domains without pairs, or two sets of attributes: {first.source} and {second.source}."
    sizes = dict(Counter(first.sizes) + Counter(second.sizes)) if first.sizes and second.sizes else {}
    channels = [each.channels or (each.image_shape and each.image_shape[2]) for each in both]
    arrays = [each.kind == "arrays" for each in both]
    value_range = common_range([each.source for each in both], [each.value_range for each in both], arrays)
    notes = tuple(note if note in first.notes and note in second.notes else f"{each.source}: {note}"
                  for each in both for note in each.notes)  # fmt: skip
    return {"about": about, "splits": splits, "fields": fields, "names": names, "image_shape": shape,
            "smaller": smaller, "parts": (first.names, second.names), "value_range": value_range,
            "notes": tuple(dict.fromkeys(notes)), "skipped": (*first.skipped, *second.skipped),
            "sizes": sizes, "channels": max(channels) if all(channels) else None}  # fmt: skip


def list_sources(*, data_dir: str | os.PathLike | None = None) -> dict[str, str]:
    """List what `load` can open.

    Args:
        data_dir: TFDS directory.

    Returns:
        Name or kind -> one line about it: `shapes`, the TFDS sets that lie prepared in the directory, and the kinds.

    Example:
        >>> list(list_sources())[0]
        'shapes'
    """
    found = dict(BUILT_IN)
    found |= {name: "TFDS, prepared" for name in prepared_sets(data_dir) if name != "shapes"}
    found["any TFDS name"] = f"sets with an image feature, downloaded at first use: {', '.join(EXAMPLES)}, ..."
    found["a folder"] = (
        "PNG, JPEG, WebP, BMP, GIF, TIFF; flat, class folders, metadata.csv or .jsonl, trainA/trainB/testA/testB"
    )
    found["two of these, as A,B"] = "two domains without pairs, for cyclegan: mnist,usps; two label sets, for stargan"
    found["a file"] = ".npz or .npy: integers (0 to 255, or --value-range) or floats (0 to 1), with labels and others"
    return found
