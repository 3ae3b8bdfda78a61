"""Folders of images: what their layout means, and their files as a table."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..cache.identity import digest_files
from ..cache.store import Store
from ..info import Images, Table, UnreadableImage
from ..resize import Resize
from ..slices import choose_rows, split_rows
from ..value_range import EIGHT_BITS, Range, scale_file
from .image_file import EXTENSIONS, MAX_PIXELS, Header, read_image
from .inspection import inspect_files, range_of_files
from .links import check_inside, find_files, is_hidden, outside
from .metadata import FILES, check_names, find_metadata, read_columns, read_rows
from .skipped import OTHER_EXTENSION, not_in
from .split_names import domain_name, rename_splits, split_name

LAYOUTS = (
    "images side by side; class sub-folders; images with a metadata.csv or metadata.jsonl (column file_name); each of "
    "these also inside train/, validation/ and test/; or trainA/ trainB/ testA/ testB/"
)


@dataclasses.dataclass(frozen=True)
class Files:
    """The images of one folder: paths in alphabetical order, and the class or metadata row of each.

    `left_out` are (file, reason) of the other files that lie there.
    """

    root: pathlib.Path
    paths: list[pathlib.Path]
    classes: list[str] | None = None
    rows: list[dict[str, Any]] | None = None
    metadata: pathlib.Path | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    def choose(self, start: int, stop: int) -> "Files":
        """Take a part: a fixed random choice by file name, so that a slice holds all classes; its order stays.

        A file's place in the choice depends on its own name alone, as in TFDS.
        """
        if (start, stop) == (0, len(self.paths)):
            return self
        names = [path.relative_to(self.root).as_posix() for path in self.paths]
        rows = choose_rows(names, start, stop)

        def take(values):
            return None if values is None else [values[i] for i in rows]

        return dataclasses.replace(self, paths=take(self.paths), classes=take(self.classes), rows=take(self.rows))


def read_folder(
    folder: pathlib.Path,
    split: str,
    fit: Resize,
    *,
    max_pixels: int = MAX_PIXELS,
    value_range: Range | None = None,
    store: Store | None = None,
) -> Table:
    """Read a split of a folder.

    An image of too many pixels, a pipe, and a link to a file outside of the folder are unreadable images.

    Args:
        folder: images side by side, or in class sub-folders (their names, sorted, are the labels), or listed by a
            metadata file; each of these also inside folders train, test, ...; or trainA, trainB, testA, testB, two
            domains without pairs. A folder without splits is "train". `split_names` has the other names of splits.
        split: a name with an optional slice.
        fit: what the images are brought to.
        max_pixels: of an image file.
        value_range: the stored numbers that are black and white in images of more than 8 bits; None detects them.
        store: where digests of the files are kept; None is the default one.

    Returns:
        A `Table` that decodes and fits its images when they are read.

    Raises:
        ValueError: no images, an unknown split, a layout that can be read in two ways, metadata that do not fit, a
            folder or a name in the metadata that leads out of the folder.
    """
    domains, splits = find_splits(folder)
    every = _every(domains, splits)
    note, eight_bits, quantized = None, EIGHT_BITS, False
    if value_range is None:  # what is detected does not concern images of 8 bits
        value_range, note = range_of_files(folder, _paths(every), max_pixels)
        quantized = value_range == EIGHT_BITS
    elif value_range[1] <= 255:
        eight_bits = value_range
    ranges = (value_range, eight_bits, quantized)
    common = {"value_range": value_range, "notes": (note,) if note else (), "skipped": _left_out(every)}
    store = store or Store()
    if domains:
        images, identity = {}, []
        for field, parts in domains.items():
            chosen = _choose(split, parts)
            images[field] = _images(chosen, fit, folder, max_pixels, *ranges)
            identity += [field, *_identity(chosen, folder, store)]
        fingerprint = _digest(identity, split, fit, max_pixels, ranges)
        return Table(images=images, columns={}, names={}, fingerprint=fingerprint, **common)
    chosen = _choose(split, splits)
    columns, names, left_out = {}, {}, ()
    if chosen[0].rows is not None:
        all_rows = [row for files in splits.values() for row in files.rows or ()]
        rows = [row for files in chosen for row in files.rows]
        columns, names, left_out = read_columns(chosen[0].metadata, rows, all_rows)
    elif chosen[0].classes is not None:
        label_names = sorted({name for files in splits.values() for name in files.classes or ()})
        number = {name: i for i, name in enumerate(label_names)}
        columns["label"] = np.array([number[name] for files in chosen for name in files.classes], np.int32)
        names["label"] = tuple(label_names)
    return Table(
        images={"image": _images(chosen, fit, folder, max_pixels, *ranges)},
        columns=columns,
        names=names,
        left_out=left_out,
        fingerprint=_digest([*_identity(chosen, folder, store), sorted(columns)], split, fit, max_pixels, ranges),
        **common,
    )


def find_splits(folder: pathlib.Path) -> tuple[dict[str, dict[str, Files]], dict[str, Files]]:
    """Say what a folder holds.

    Returns:
        (domain field -> split -> files, empty where there are no domains), (split -> files, empty where there are).

    Raises:
        ValueError: no images, a domain without its counterpart, a layout that can be read in two ways.
    """
    below = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path.name)}
    if domains := _domains(folder, below):
        return domains, {}
    if find_metadata(folder) is not None or _here(folder):
        return {}, {"train": _files(folder, folder)}
    named = [name for name in below if split_name(name)]
    if not named:
        _check_nested(folder, below)
        return {}, {"train": _files(folder, folder)}
    classes = [name for name, path in below.items() if name not in named and _images_of(find_files(path, folder))]
    training = [below[name] for name in named if split_name(name) == "train"]
    if classes and not any(_images_of(find_files(path, folder)) for path in training):
        return {}, {"train": _files(folder, folder)}
    if classes:
        raise ValueError(
            f"{folder} can be read in two ways. Either {', '.join(f'{name}/' for name in named)} are splits: move "
            f"{', '.join(f'{name}/' for name in classes[:5])} out of the folder. Or all "
            f"{len(named) + len(classes)} folders are classes: rename {', '.join(f'{name}/' for name in named)}, or "
            "write a metadata.csv with file_name and label."
        )
    splits = _by_split(folder, named, split_name)
    found = {split: _files(below[name], folder) for split, name in splits.items()}
    kinds = {(files.classes is not None, files.rows is not None) for files in found.values()}
    if len(kinds) > 1:
        raise ValueError(f"{folder}: {', '.join(named)} are laid out in different ways. Known: {LAYOUTS}.")
    return {}, found


def _domains(folder: pathlib.Path, below: dict[str, pathlib.Path]) -> dict[str, dict[str, Files]]:
    """domain field -> split -> files; empty where no two folders are named as the domains of a split."""
    names = [name for name in below if domain_name(name)]
    found = _by_split(folder, names, domain_name)
    exact = any(name == split + letter for (split, letter), name in found.items())
    if not exact and not any((split, "B") in found for split, letter in found if letter == "A"):
        return {}  # classes that end in A or B by chance
    domains: dict[str, dict[str, Files]] = {"domain_a": {}, "domain_b": {}}
    for split in dict.fromkeys(split for split, _ in found):
        for letter in "AB":
            if (split, letter) not in found:
                other = found[split, "B" if letter == "A" else "A"]
                raise ValueError(f"{folder} holds {other}/ but no {other[:-1]}{letter}/; two domains need both.")
            domain = below[found[split, letter]]
            files = find_files(domain, folder)
            images = _images_of(files)
            if not images:
                raise ValueError(_nothing(domain))
            left_out = _other_extensions(files)
            domains[f"domain_{letter.lower()}"][split] = Files(domain, images, left_out=left_out)
    return domains


def _by_split(folder: pathlib.Path, names: Iterable[str], meaning) -> dict[Any, str]:
    """What names stand for -> name.

    Raises:
        ValueError: where two stand for the same.
    """
    found: dict[Any, str] = {}
    for name in names:
        if (former := found.setdefault(meaning(name), name)) != name:
            raise ValueError(f"{folder} holds {former}/ and {name}/, which name the same split; keep one of them.")
    return found


def _check_nested(folder: pathlib.Path, below: dict[str, pathlib.Path]) -> None:
    """Refuses class folders that all hold splits: their images would be mixed, those of tests among them."""
    holds_splits = [
        name for name, path in below.items() if any(split_name(each.name) == "train" for each in path.iterdir())
    ]
    if not holds_splits:
        return
    filled = {name: path for name, path in below.items() if _images_of(find_files(path, folder))}
    if not set(filled) <= set(holds_splits):
        return
    names = list(filled)
    if len(names) == 1:
        raise ValueError(
            f"{folder} holds one folder, {names[0]}/, with splits inside. Expected the folder that holds the splits: "
            f"give {filled[names[0]]}."
        )
    raise ValueError(
        f"{folder}: each of {', '.join(f'{name}/' for name in names[:5])} holds splits. Expected the splits outside "
        f"and the classes inside, such as train/{names[0]}/; move the folders."
    )


def _files(folder: pathlib.Path, root: pathlib.Path) -> Files:
    """The images of a folder that is `root`, the source, or a split in it."""
    metadata = find_metadata(folder)
    files = []
    with contextlib.suppress(*(() if metadata is None else (ValueError, OSError))):  # of links that it need not name
        files = find_files(folder, root)
    everything, left_out = _images_of(files), _other_extensions(files)
    if metadata is not None:
        check_inside(metadata, root)
        rows = sorted(read_rows(metadata), key=lambda row: str(row["file_name"]))
        check_names(metadata, rows, root)
        paths = [folder / str(row["file_name"]) for row in rows]
        listed = {os.path.normpath(path) for path in paths}
        reason = not_in(metadata.name)
        left_out += tuple((str(path), reason) for path in everything if os.path.normpath(path) not in listed)
        return Files(folder, paths, rows=rows, metadata=metadata, left_out=left_out)
    here = _here(folder)
    if not everything:
        raise ValueError(_nothing(folder))
    if here and len(here) != len(everything):
        inside = sorted({path.relative_to(folder).parts[0] for path in everything if path.parent != folder})
        raise ValueError(
            f"{folder} holds {len(here)} images side by side and {len(everything) - len(here)} in sub-folders "
            f"({', '.join(inside[:5])}), so it is not clear which of them are classes. Known: {LAYOUTS}."
        )
    classes = None if here else [path.relative_to(folder).parts[0] for path in everything]
    return Files(folder, everything, classes=classes, left_out=left_out)


def _images_of(files: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    return [path for path in files if path.suffix.lower() in EXTENSIONS]


def _other_extensions(files: Iterable[pathlib.Path]) -> tuple[tuple[str, str], ...]:
    others = (path for path in files if path.suffix.lower() not in EXTENSIONS and path.name not in FILES)
    return tuple((str(path), OTHER_EXTENSION) for path in others)


def _here(folder: pathlib.Path) -> list[pathlib.Path]:
    names = (path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and not is_hidden(path.name))
    return sorted(path for path in names if not path.is_dir())


def _every(domains: dict[str, dict[str, Files]], splits: dict[str, Files]) -> list[Files]:
    return [files for parts in (*domains.values(), splits) for files in parts.values()]


def _paths(every: Iterable[Files]) -> list[pathlib.Path]:
    return [path for files in every for path in files.paths]


def _left_out(every: Iterable[Files]) -> tuple[tuple[str, str], ...]:
    return tuple(each for files in every for each in files.left_out)


def _nothing(folder: pathlib.Path) -> str:
    kinds: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kinds[path.suffix.lower() or "no extension"] = kinds.get(path.suffix.lower() or "no extension", 0) + 1
    found = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items())) or "no file at all"
    return f"{folder} holds no images (found: {found}). Known are {', '.join(EXTENSIONS)}. Known layouts: {LAYOUTS}."


def _choose(split: str, parts: dict[str, Files]) -> list[Files]:
    counts = {name: len(files.paths) for name, files in parts.items()}
    chosen = split_rows(rename_splits(split, counts), counts)
    return [parts[name].choose(start, stop) for name, start, stop in chosen]


def _images(
    chosen: list[Files],
    fit: Resize,
    root: pathlib.Path,
    max_pixels: int,
    value_range: Range,
    eight_bits: Range,
    quantized: bool,
) -> Images:
    """The images of files.

    Args:
        chosen: the files.
        fit: what they are brought to.
        root: the folder that links may not leave.
        max_pixels: as in `read_image`.
        value_range: of images with more than 8 bits.
        eight_bits: of the others.
        quantized: whether all are uint8; else they are float32.
    """
    paths = [path for files in chosen for path in files.paths]
    refused = outside(paths, root)
    height, width, _ = fit.image_shape
    dtype = np.dtype(np.uint8 if quantized else np.float32)

    def read(index: int) -> np.ndarray:
        if paths[index] in refused:
            raise UnreadableImage(paths[index], refused[paths[index]])
        stored = read_image(paths[index], (height, width), max_pixels)
        try:
            image = scale_file(stored, eight_bits if stored.dtype == np.uint8 else value_range)
        except ValueError as error:
            raise UnreadableImage(paths[index], str(error)) from error
        try:
            image = fit(image)
        except ValueError as error:
            raise ValueError(f"{paths[index]}: {error}") from error
        return image if image.dtype == dtype else image / np.float32(255)

    return Images(len(paths), dtype, read=read, fallible=True)


def _identity(chosen: list[Files], folder: pathlib.Path, store: Store) -> list[Any]:
    identity = []
    for files in chosen:
        identity.append(digest_files(files.paths, files.root, outside(files.paths, folder), store))
        identity.append([sorted(row.items(), key=str) for row in files.rows or ()])
        identity.append(files.classes)
    return identity


def _digest(identity: list[Any], split: str, fit: Resize, max_pixels: int, ranges: tuple[Range, Range, bool]) -> str:
    # which files are unreadable is remembered under the digest, and the limit decides it
    quantized = ranges[-1]
    how = (identity, split, fit, max_pixels, *(() if quantized else ranges))
    return hashlib.sha256(repr(how).encode()).hexdigest()


def describe_folder(
    folder: pathlib.Path,
    max_pixels: int = MAX_PIXELS,
    value_range: Range | None = None,
) -> dict[str, Any]:
    """Says what a folder holds: splits with their sizes, fields, names, sizes and channels of the images.

    Headers are read, and the pixels of images with more than 8 bits where `value_range` is None.
    """
    domains, splits = find_splits(folder)
    every = _every(domains, splits)
    paths = _paths(every)
    headers = inspect_files(paths, folder, max_pixels)
    readable = [header for header in headers if isinstance(header, Header)]
    skipped = (*_left_out(every), *((each.file, each.reason) for each in headers if not isinstance(each, Header)))
    note = None
    if value_range is None:
        value_range, note = range_of_files(folder, paths, max_pixels)
    notes = (note, _several(paths, headers))
    found = {
        "about": str(folder),
        "value_range": value_range,
        "notes": tuple(text for text in notes if text),
        "skipped": skipped,
        "sizes": dict(Counter(header.size for header in readable)),
        "channels": 1 if readable and all(header.channels < 3 for header in readable) else 3,
    }
    if domains:
        sizes = {field: {name: len(files.paths) for name, files in parts.items()} for field, parts in domains.items()}
        counted = {field: ", ".join(f"{name} {n:,}" for name, n in counts.items()) for field, counts in sizes.items()}
        about = {field: f"images ({text})" for field, text in counted.items()}
        counts = {name: [each[name] for each in sizes.values()] for name in sizes["domain_a"]}
        largest, smallest = ({name: choose(pair) for name, pair in counts.items()} for choose in (max, min))
        return found | {"splits": largest, "fields": about, "names": {}, "smaller": smallest}
    first = next(iter(splits.values()))
    fields, names = {"image": "images"}, {}
    if first.rows is not None:
        rows = [row for files in splits.values() for row in files.rows]
        columns, names, _ = read_columns(first.metadata, rows, rows)
        fields |= {key: f"{value.dtype if value.dtype != object else 'string'}" for key, value in columns.items()}
    elif first.classes is not None:
        names = {"label": tuple(sorted({name for files in splits.values() for name in files.classes}))}
        fields["label"] = "int32"
    counts = {name: len(files.paths) for name, files in splits.items()}
    return found | {"splits": counts, "fields": fields, "names": names}


def _several(paths: Sequence[pathlib.Path], headers: Sequence[Header | UnreadableImage]) -> str | None:
    """A line about files of which only the first frame or page is read."""
    names = [path.name for path, each in zip(paths, headers, strict=True) if isinstance(each, Header) and each.several]
    if not names:
        return None
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} files have several frames or pages, of which the first is read (e.g. {shown})."
