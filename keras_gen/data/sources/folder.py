"""Reads folders of images: detects their layout, and returns their files as a table."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_gen.runtime.image_file import EXTENSIONS, MAX_PIXELS, Header, UnreadableImage, read_image

from ..cache.identity import digest_files
from ..cache.store import Store
from ..info import Images, Table
from ..resize import Resize
from ..slices import canonical_domain, canonical_split, canonicalize_splits, choose_rows, split_rows
from ..value_range import EIGHT_BITS, Range, scale_file
from .inspection import inspect_files, range_of_files
from .links import check_inside, find_files, find_outside, is_hidden
from .metadata import FILES, Row, check_names, find_metadata, read_columns, read_rows
from .skipped import OTHER_EXTENSION, not_in

LAYOUTS = (
    "a flat folder of images; class folders; images with a metadata.csv or metadata.jsonl (column file_name); each of "
    "these also inside train/, validation/ and test/; or trainA/ trainB/ testA/ testB/"
)


@dataclasses.dataclass(frozen=True)
class Files:
    """The images of one split or domain.

    Attributes:
        root: The folder of the split or domain.
        paths: Image files in alphabetical order.
        classes: Class of each image, or None.
        rows: Metadata row of each image, or None.
        metadata: The metadata file, or None.
        skipped: (file, reason) of the other files in the folder.
    """

    root: pathlib.Path
    paths: list[pathlib.Path]
    classes: list[str] | None = None
    rows: list[Row] | None = None
    metadata: pathlib.Path | None = None
    skipped: tuple[tuple[str, str], ...] = ()

    def choose(self, start: int, stop: int) -> "Files":
        """Returns a slice in alphabetical order: a fixed random choice by file name, so that it contains every class.

        As in TFDS, whether a file is chosen depends on its own name alone.
        """
        if (start, stop) == (0, len(self.paths)):
            return self
        names = [path.relative_to(self.root).as_posix() for path in self.paths]
        rows = choose_rows(names, start, stop)

        def take(values: list) -> list:
            return [values[i] for i in rows]

        return dataclasses.replace(
            self,
            paths=take(self.paths),
            classes=None if self.classes is None else take(self.classes),
            rows=None if self.rows is None else take(self.rows),
        )


class _Ranges(NamedTuple):
    """The value ranges of a folder.

    Attributes:
        deep: Range of images with more than 8 bits.
        eight_bits: Range of the other images.
        quantized: Whether all images are returned as uint8; otherwise as float32.
    """

    deep: Range
    eight_bits: Range
    quantized: bool


def read_folder(
    folder: pathlib.Path,
    split: str,
    resize: Resize,
    *,
    max_pixels: int = MAX_PIXELS,
    value_range: Range | None = None,
    store: Store | None = None,
) -> Table:
    """Reads a split of a folder.

    An image of more than `max_pixels` pixels, a pipe, and a link to a file outside of the folder are unreadable images.

    Args:
        folder: A flat folder of images, class folders (the labels are the sorted names), or images that are listed in
            a metadata file; each of these also inside folders train, test, ...; or trainA, trainB, testA, testB, two
            unpaired domains. A folder without splits is "train". See `canonical_split` for other names of splits.
        split: A name with an optional slice.
        resize: Target shape of the images.
        max_pixels: Maximum number of pixels of an image file.
        value_range: The stored values that are black and white in images of more than 8 bits; None detects them.
        store: Storage of the digests of files; None is the default one.

    Returns:
        A `Table` whose images are decoded and resized when they are read.

    Raises:
        ValueError: If there are no images or no such split, the layout is ambiguous, the metadata are invalid, or a
            folder or a name in the metadata leads out of the folder.
    """
    domains, splits = find_splits(folder)
    parts = _all_files(domains, splits)
    ranges, note = _find_ranges(folder, parts, max_pixels, value_range)
    store = store or Store()
    images: dict[str, Images] = {}
    columns: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...]] = {}
    left_out: tuple[str, ...] = ()
    identity: list[Any] = []
    if domains:
        for field, splits_of_domain in domains.items():
            chosen = _choose(split, splits_of_domain)
            images[field] = _images(chosen, resize, folder, max_pixels, ranges)
            identity += [field, *_identity(chosen, folder, store)]
    else:
        chosen = _choose(split, splits)
        images["image"] = _images(chosen, resize, folder, max_pixels, ranges)
        columns, names, left_out = _columns(chosen, splits)
        identity = [*_identity(chosen, folder, store), sorted(columns)]
    return Table(
        images=images,
        columns=columns,
        names=names,
        left_out=left_out,
        fingerprint=_digest(identity, split, resize, max_pixels, ranges),
        value_range=ranges.deep,
        notes=(note,) if note else (),
        skipped=_skipped(parts),
    )


def _find_ranges(
    folder: pathlib.Path, parts: Iterable[Files], max_pixels: int, value_range: Range | None
) -> tuple[_Ranges, str | None]:
    """Returns the value ranges, and a note if a range of more than 8 bits was detected."""
    if value_range is None:  # a detected range does not apply to images of 8 bits
        detected, note = range_of_files(folder, _paths(parts), max_pixels)
        return _Ranges(detected, EIGHT_BITS, detected == EIGHT_BITS), note
    return _Ranges(value_range, value_range if value_range[1] <= 255 else EIGHT_BITS, False), None


def _columns(
    chosen: Sequence[Files], splits: Mapping[str, Files]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Returns the columns of the chosen files, names of their values, and the columns that are left out."""
    metadata = chosen[0].metadata
    if metadata is not None:
        all_rows = [row for files in splits.values() for row in files.rows or ()]
        return read_columns(metadata, [row for files in chosen for row in files.rows or ()], all_rows)
    if chosen[0].classes is None:
        return {}, {}, ()
    label_names = sorted({name for files in splits.values() for name in files.classes or ()})
    number = {name: i for i, name in enumerate(label_names)}
    labels = np.array([number[name] for files in chosen for name in files.classes or ()], np.int32)
    return {"label": labels}, {"label": tuple(label_names)}, ()


def find_splits(folder: pathlib.Path) -> tuple[dict[str, dict[str, Files]], dict[str, Files]]:
    """Detects the layout of a folder.

    Returns:
        Domain field -> split -> files, which is empty unless there are domains; and split -> files, which is empty if
        there are domains.

    Raises:
        ValueError: If there are no images, only one of two domains, or the layout is ambiguous.
    """
    below = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path.name)}
    if domains := _domains(folder, below):
        return domains, {}
    if find_metadata(folder) is not None or _here(folder):
        return {}, {"train": _files(folder, folder)}
    named = [name for name in below if canonical_split(name)]
    if not named:
        _check_nested(folder, below)
        return {}, {"train": _files(folder, folder)}
    classes = [name for name, path in below.items() if name not in named and _images_of(find_files(path, folder))]
    training = [below[name] for name in named if canonical_split(name) == "train"]
    if classes and not any(_images_of(find_files(path, folder)) for path in training):
        return {}, {"train": _files(folder, folder)}
    if classes:
        raise ValueError(
            f"{folder}: expected folders of splits or of classes; received both. Either "
            f"{', '.join(f'{name}/' for name in named)} are splits: move "
            f"{', '.join(f'{name}/' for name in classes[:5])} out of the folder. Or all "
            f"{len(named) + len(classes)} folders are classes: rename {', '.join(f'{name}/' for name in named)}, or "
            "write a metadata.csv with file_name and label."
        )
    names = _unique_meanings(folder, named, canonical_split)
    splits = {split: _files(below[name], folder) for split, name in names.items()}
    layouts = {(files.classes is not None, files.rows is not None) for files in splits.values()}
    if len(layouts) > 1:
        listed = ", ".join(named)
        raise ValueError(f"{folder}: expected one layout in {listed}; received several. Layouts: {LAYOUTS}.")
    return {}, splits


def _domains(folder: pathlib.Path, below: dict[str, pathlib.Path]) -> dict[str, dict[str, Files]]:
    """Returns domain field -> split -> files, which is empty unless two folders are named after domains of a split."""
    names = [name for name in below if canonical_domain(name)]
    name_of = _unique_meanings(folder, names, canonical_domain)
    exact = any(name == split + letter for (split, letter), name in name_of.items())
    if not exact and not any((split, "B") in name_of for split, letter in name_of if letter == "A"):
        return {}  # classes that end in A or B by chance
    domains: dict[str, dict[str, Files]] = {"domain_a": {}, "domain_b": {}}
    for split in dict.fromkeys(split for split, _ in name_of):
        for letter in "AB":
            if (split, letter) not in name_of:
                other = name_of[split, "B" if letter == "A" else "A"]
                missing = f"{other[:-1]}{letter}/"
                raise ValueError(f"{folder}: expected {other}/ and {missing}; received no {missing}.")
            domain = below[name_of[split, letter]]
            files = find_files(domain, folder)
            images = _images_of(files)
            if not images:
                raise ValueError(_no_images(domain))
            skipped = _other_extensions(files)
            domains[f"domain_{letter.lower()}"][split] = Files(domain, images, skipped=skipped)
    return domains


def _unique_meanings(folder: pathlib.Path, names: Iterable[str], meaning: Callable[[str], Any]) -> dict[Any, str]:
    """Returns meaning -> name.

    Args:
        folder: The folder, for messages.
        names: Names of folders.
        meaning: Function from a name to its split, or to its split and domain.

    Raises:
        ValueError: If two names have the same meaning.
    """
    name_of: dict[Any, str] = {}
    for name in names:
        if (other := name_of.setdefault(meaning(name), name)) != name:
            raise ValueError(
                f"{folder}: expected one folder for each split; received {other}/ and {name}/, which name the same "
                "split; keep one of them."
            )
    return name_of


def _check_nested(folder: pathlib.Path, below: dict[str, pathlib.Path]) -> None:
    """Raises a ValueError if all class folders contain splits, since training and test images would be mixed."""
    with_splits = [
        name for name, path in below.items() if any(canonical_split(each.name) == "train" for each in path.iterdir())
    ]
    if not with_splits:
        return
    with_images = {name: path for name, path in below.items() if _images_of(find_files(path, folder))}
    if not set(with_images) <= set(with_splits):
        return
    names = list(with_images)
    if len(names) == 1:
        raise ValueError(
            f"Expected the folder that contains the splits; received {folder}, which contains {names[0]}/ with the "
            f"splits inside. Pass {with_images[names[0]]}."
        )
    raise ValueError(
        f"{folder}: expected classes inside of splits, such as train/{names[0]}/; received splits inside of "
        f"{', '.join(f'{name}/' for name in names[:5])}. Move the folders."
    )


def _files(folder: pathlib.Path, root: pathlib.Path) -> Files:
    """Returns the images of a folder.

    Args:
        folder: The folder of a split, or the source itself.
        root: The source.
    """
    metadata = find_metadata(folder)
    files = []
    with contextlib.suppress(
        *(() if metadata is None else (ValueError, OSError))
    ):  # of links that the metadata may not list
        files = find_files(folder, root)
    images, skipped = _images_of(files), _other_extensions(files)
    if metadata is not None:
        check_inside(metadata, root)
        rows = sorted(read_rows(metadata), key=lambda row: str(row["file_name"]))
        check_names(metadata, rows, root)
        paths = [folder / str(row["file_name"]) for row in rows]
        listed = {os.path.normpath(path) for path in paths}
        reason = not_in(metadata.name)
        skipped += tuple((str(path), reason) for path in images if os.path.normpath(path) not in listed)
        return Files(folder, paths, rows=rows, metadata=metadata, skipped=skipped)
    here = _here(folder)
    if not images:
        raise ValueError(_no_images(folder))
    if here and len(here) != len(images):
        inside = sorted({path.relative_to(folder).parts[0] for path in images if path.parent != folder})
        raise ValueError(
            f"{folder}: expected all images in the folder itself, or all in class folders; received {len(here)} in the "
            f"folder and {len(images) - len(here)} in sub-folders ({', '.join(inside[:5])}). Layouts: {LAYOUTS}."
        )
    classes = None if here else [path.relative_to(folder).parts[0] for path in images]
    return Files(folder, images, classes=classes, skipped=skipped)


def _images_of(files: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    return [path for path in files if path.suffix.lower() in EXTENSIONS]


def _other_extensions(files: Iterable[pathlib.Path]) -> tuple[tuple[str, str], ...]:
    others = (path for path in files if path.suffix.lower() not in EXTENSIONS and path.name not in FILES)
    return tuple((str(path), OTHER_EXTENSION) for path in others)


def _here(folder: pathlib.Path) -> list[pathlib.Path]:
    names = (path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and not is_hidden(path.name))
    return sorted(path for path in names if not path.is_dir())


def _all_files(domains: Mapping[str, Mapping[str, Files]], splits: Mapping[str, Files]) -> list[Files]:
    return [files for parts in (*domains.values(), splits) for files in parts.values()]


def _paths(parts: Iterable[Files]) -> list[pathlib.Path]:
    return [path for files in parts for path in files.paths]


def _skipped(parts: Iterable[Files]) -> tuple[tuple[str, str], ...]:
    return tuple(each for files in parts for each in files.skipped)


def _no_images(folder: pathlib.Path) -> str:
    kinds = Counter(path.suffix.lower() or "no extension" for path in folder.rglob("*") if path.is_file())
    received = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items())) or "no files"
    return f"{folder} contains no images: expected {', '.join(EXTENSIONS)}; received {received}. Layouts: {LAYOUTS}."


def _choose(split: str, parts: Mapping[str, Files]) -> list[Files]:
    counts = {name: len(files.paths) for name, files in parts.items()}
    chosen = split_rows(canonicalize_splits(split, counts), counts)
    return [parts[name].choose(start, stop) for name, start, stop in chosen]


def _images(chosen: Sequence[Files], resize: Resize, root: pathlib.Path, max_pixels: int, ranges: _Ranges) -> Images:
    """Returns the images of files, which are decoded on demand.

    Args:
        chosen: The files.
        resize: Target shape.
        root: The folder that links must not leave.
        max_pixels: As in `read_image`.
        ranges: The value ranges.
    """
    paths = _paths(chosen)
    refused = find_outside(paths, root)
    height, width, _ = resize.image_shape
    dtype = np.dtype(np.uint8 if ranges.quantized else np.float32)

    def read(index: int) -> np.ndarray:
        if paths[index] in refused:
            raise UnreadableImage(paths[index], refused[paths[index]])
        stored = read_image(paths[index], (height, width), max_pixels)
        try:
            image = scale_file(stored, ranges.eight_bits if stored.dtype == np.uint8 else ranges.deep)
        except ValueError as error:
            raise UnreadableImage(paths[index], str(error)) from error
        try:
            image = resize(image)
        except ValueError as error:
            raise ValueError(f"{paths[index]}: {error}") from error
        return image if image.dtype == dtype else image / np.float32(255)

    return Images(len(paths), dtype, read=read, fallible=True)


def _identity(chosen: Iterable[Files], folder: pathlib.Path, store: Store) -> list[Any]:
    identity: list[Any] = []
    for files in chosen:
        identity.append(digest_files(files.paths, files.root, find_outside(files.paths, folder), store))
        identity.append([sorted(row.items(), key=str) for row in files.rows or ()])
        identity.append(files.classes)
    return identity


def _digest(identity: list[Any], split: str, resize: Resize, max_pixels: int, ranges: _Ranges) -> str:
    # the cached list of unreadable files depends on max_pixels
    parts = (identity, split, resize, max_pixels, *(() if ranges.quantized else ranges))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def describe_folder(
    folder: pathlib.Path,
    max_pixels: int = MAX_PIXELS,
    value_range: Range | None = None,
) -> dict[str, Any]:
    """Describes a folder: splits with their sizes, fields, names, and sizes and channels of the images.

    All headers are read, and if `value_range` is None also the pixels of images with more than 8 bits. The keys are
    attributes of `keras_gen.data.Description`; the arguments are those of `read_folder`.
    """
    domains, splits = find_splits(folder)
    parts = _all_files(domains, splits)
    paths = _paths(parts)
    headers = inspect_files(paths, folder, max_pixels)
    readable = [header for header in headers if isinstance(header, Header)]
    unreadable = [(each.file, each.reason) for each in headers if isinstance(each, UnreadableImage)]
    range_note = None
    if value_range is None:
        value_range, range_note = range_of_files(folder, paths, max_pixels)
    notes = (range_note, _frames_note(paths, headers))
    description = {
        "about": str(folder),
        "value_range": value_range,
        "notes": tuple(note for note in notes if note),
        "skipped": (*_skipped(parts), *unreadable),
        "sizes": dict(Counter(header.size for header in readable)),
        "channels": 1 if readable and all(header.channels < 3 for header in readable) else 3,
    }
    if domains:
        return description | _describe_domains(domains)
    fields, names = {"image": "images"}, {}
    first = next(iter(splits.values()))
    if first.metadata is not None:
        rows = [row for files in splits.values() for row in files.rows or ()]
        columns, names, _ = read_columns(first.metadata, rows, rows)
        fields |= {key: f"{value.dtype if value.dtype != object else 'string'}" for key, value in columns.items()}
    elif first.classes is not None:
        names = {"label": tuple(sorted({name for files in splits.values() for name in files.classes or ()}))}
        fields["label"] = "int32"
    counts = {name: len(files.paths) for name, files in splits.items()}
    return description | {"splits": counts, "fields": fields, "names": names}


def _describe_domains(domains: Mapping[str, Mapping[str, Files]]) -> dict[str, Any]:
    """Returns the splits with the sizes of the larger and of the smaller domain, and the fields."""
    sizes = {field: {name: len(files.paths) for name, files in parts.items()} for field, parts in domains.items()}
    fields = {
        field: f"images ({', '.join(f'{name} {count:,}' for name, count in counts.items())})"
        for field, counts in sizes.items()
    }
    pairs = {name: [counts[name] for counts in sizes.values()] for name in sizes["domain_a"]}
    larger = {name: max(pair) for name, pair in pairs.items()}
    smaller = {name: min(pair) for name, pair in pairs.items()}
    return {"splits": larger, "fields": fields, "names": {}, "smaller": smaller}


def _frames_note(paths: Sequence[pathlib.Path], headers: Sequence[Header | UnreadableImage]) -> str | None:
    """Returns a note about files with several frames or pages, of which the first is read."""
    names = [path.name for path, each in zip(paths, headers, strict=True) if isinstance(each, Header) and each.several]
    if not names:
        return None
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} files have several frames or pages, of which the first is read (e.g. {shown})."
