"""Folders of images: what their layout means, and their files as a table."""

import dataclasses
import hashlib
import pathlib
import re
from typing import Any

import numpy as np

from .fit import Fit
from .image_files import EXTENSIONS, MAX_PIXELS, read_header, read_image
from .info import Images, Table, UnreadableImage, name_files
from .links import check_inside, find_files, outside
from .metadata import check_names, find_metadata, read_columns, read_rows
from .splits import split_rows

_SPLITS = ("train", "test", "validation", "valid", "val")
_DOMAIN = re.compile(rf"^({'|'.join(_SPLITS)})([AB])$")
# files whose headers are read to describe a folder
LOOKED_AT = 1000
LAYOUTS = (
    "images side by side; class sub-folders; images with a metadata.csv or metadata.jsonl (column file_name); each of "
    "these also inside train/, validation/ and test/; or trainA/ trainB/ testA/ testB/"
)


@dataclasses.dataclass(frozen=True)
class Files:
    """The images of one folder: paths in alphabetical order, and the class or metadata row of each."""

    root: pathlib.Path
    paths: list[pathlib.Path]
    classes: list[str] | None = None
    rows: list[dict[str, Any]] | None = None
    metadata: pathlib.Path | None = None

    def choose(self, start: int, stop: int) -> "Files":
        """Take a part: a fixed random choice by file name, so that a slice holds all classes; its order stays.

        A file's place in the choice depends on its own name alone, as in TFDS.
        """
        if (start, stop) == (0, len(self.paths)):
            return self
        names = [path.relative_to(self.root).as_posix() for path in self.paths]
        rank = sorted(range(len(names)), key=lambda i: hashlib.md5(names[i].encode()).digest())
        rows = sorted(rank[start:stop])

        def take(values):
            return None if values is None else [values[i] for i in rows]

        return dataclasses.replace(self, paths=take(self.paths), classes=take(self.classes), rows=take(self.rows))


def read_folder(folder: pathlib.Path, split: str, fit: Fit, *, max_pixels: int = MAX_PIXELS) -> Table:
    """Read a split of a folder.

    An image of too many pixels, a pipe, and a link to a file outside of the folder are unreadable images.

    Args:
        folder: images side by side, or in class sub-folders (their names, sorted, are the labels), or listed by a
            metadata file; each of these also inside folders train, test, ...; or trainA, trainB, testA, testB, two
            domains without pairs. A folder without splits is "train".
        split: a name with an optional slice.
        fit: what the images are brought to.
        max_pixels: of an image file.

    Returns:
        A `Table` that decodes and fits its images when they are read.

    Raises:
        ValueError: no images, an unknown split, a layout that can be read in two ways, metadata that do not fit, a
            folder or a name in the metadata that leads out of the folder.
    """
    domains, splits = find_splits(folder)
    if domains:
        images, identity = {}, []
        for field, parts in domains.items():
            chosen = _choose(split, parts)
            images[field] = _images(chosen, fit, folder, max_pixels)
            identity += [field, *_identity(chosen)]
        return Table(images=images, columns={}, names={}, fingerprint=_digest(identity, split, fit, max_pixels))
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
        images={"image": _images(chosen, fit, folder, max_pixels)},
        columns=columns,
        names=names,
        left_out=left_out,
        fingerprint=_digest([*_identity(chosen), sorted(columns)], split, fit, max_pixels),
    )


def find_splits(folder: pathlib.Path) -> tuple[dict[str, dict[str, Files]], dict[str, Files]]:
    """Say what a folder holds.

    Returns:
        (domain field -> split -> files, empty where there are no domains), (split -> files, empty where there are).

    Raises:
        ValueError: no images, a domain without its counterpart, a layout that can be read in two ways.
    """
    below = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")}
    matches = [match for name in below if (match := _DOMAIN.match(name))]
    if matches:
        domains: dict[str, dict[str, Files]] = {"domain_a": {}, "domain_b": {}}
        for split in dict.fromkeys(match[1] for match in matches):
            for letter in "AB":
                if split + letter not in below:
                    other = split + ("B" if letter == "A" else "A")
                    raise ValueError(f"{folder} holds {other}/ but no {split}{letter}/; two domains need both.")
                files = find_files(below[split + letter], folder, EXTENSIONS)
                if not files:
                    raise ValueError(_nothing(below[split + letter]))
                domains[f"domain_{letter.lower()}"][split] = Files(below[split + letter], files)
        return domains, {}
    named = [name for name in below if name in _SPLITS]
    if named and find_metadata(folder) is None and not _here(folder):
        if all(name in _SPLITS or not find_files(path, folder, EXTENSIONS) for name, path in below.items()):
            found = {name: _files(below[name], folder) for name in named}
            kinds = {(files.classes is not None, files.rows is not None) for files in found.values()}
            if len(kinds) > 1:
                raise ValueError(f"{folder}: {', '.join(named)} are laid out in different ways. Known: {LAYOUTS}.")
            return {}, found
    return {}, {"train": _files(folder, folder)}


def _files(folder: pathlib.Path, root: pathlib.Path) -> Files:
    """The images of a folder that is `root`, the source, or a split in it."""
    metadata = find_metadata(folder)
    if metadata is not None:
        check_inside(metadata, root)
        rows = sorted(read_rows(metadata), key=lambda row: str(row["file_name"]))
        check_names(metadata, rows, root)
        return Files(folder, [folder / str(row["file_name"]) for row in rows], rows=rows, metadata=metadata)
    here, everything = _here(folder), find_files(folder, root, EXTENSIONS)
    if not everything:
        raise ValueError(_nothing(folder))
    if here and len(here) != len(everything):
        inside = sorted({path.relative_to(folder).parts[0] for path in everything if path.parent != folder})
        raise ValueError(
            f"{folder} holds {len(here)} images side by side and {len(everything) - len(here)} in sub-folders "
            f"({', '.join(inside[:5])}), so it is not clear which of them are classes. Known: {LAYOUTS}."
        )
    classes = None if here else [path.relative_to(folder).parts[0] for path in everything]
    return Files(folder, everything, classes=classes)


def _here(folder: pathlib.Path) -> list[pathlib.Path]:
    names = (path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and not path.name.startswith("."))
    return sorted(path for path in names if not path.is_dir())


def _nothing(folder: pathlib.Path) -> str:
    kinds: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kinds[path.suffix.lower() or "no extension"] = kinds.get(path.suffix.lower() or "no extension", 0) + 1
    found = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items())) or "no file at all"
    return f"{folder} holds no images (found: {found}). Known are {', '.join(EXTENSIONS)}. Known layouts: {LAYOUTS}."


def _choose(split: str, parts: dict[str, Files]) -> list[Files]:
    chosen = split_rows(split, {name: len(files.paths) for name, files in parts.items()})
    return [parts[name].choose(start, stop) for name, start, stop in chosen]


def _images(chosen: list[Files], fit: Fit, root: pathlib.Path, max_pixels: int) -> Images:
    paths = [path for files in chosen for path in files.paths]
    refused = outside(paths, root)
    height, width, _ = fit.image_shape

    def read(index: int) -> np.ndarray:
        if paths[index] in refused:
            raise UnreadableImage(paths[index], refused[paths[index]])
        image = read_image(paths[index], (height, width), max_pixels)
        try:
            return fit(image)
        except ValueError as error:
            raise ValueError(f"{paths[index]}: {error}") from error

    return Images(len(paths), np.dtype(np.uint8), read=read, fallible=True)


def _identity(chosen: list[Files]) -> list[Any]:
    identity = []
    for files in chosen:
        for path in files.paths:
            about = path.stat() if path.exists() else None
            identity.append((path.relative_to(files.root).as_posix(), about and (about.st_size, about.st_mtime_ns)))
        identity.append([sorted(row.items(), key=str) for row in files.rows or ()])
        identity.append(files.classes)
    return identity


def _digest(identity: list[Any], split: str, fit: Fit, max_pixels: int) -> str:
    # which files are unreadable is remembered under the digest, and the limit decides it
    return hashlib.sha256(repr((identity, split, fit, max_pixels)).encode()).hexdigest()


def describe_folder(folder: pathlib.Path, max_pixels: int = MAX_PIXELS) -> dict[str, Any]:
    """Say what a folder holds: splits with their sizes, fields, names; no image is decoded."""
    domains, splits = find_splits(folder)
    every = [files for parts in (*domains.values(), splits) for files in parts.values()]
    found = {"about": _about(folder, [path for files in every for path in files.paths], max_pixels)}
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


def _about(folder: pathlib.Path, paths: list[pathlib.Path], max_pixels: int) -> str:
    """The path, and which of the first files are no images as far as their headers tell."""
    paths = paths[:LOOKED_AT]
    refused = outside(paths, folder)
    unreadable = []
    for path in paths:
        try:
            if path in refused:
                raise UnreadableImage(path, refused[path])
            read_header(path, max_pixels)
        except UnreadableImage as error:
            unreadable.append((error.file, error.reason))
    if not unreadable:
        return str(folder)
    which = f"the first {LOOKED_AT:,}" if len(paths) == LOOKED_AT else f"{len(paths):,}"
    return f"{folder}. {len(unreadable):,} of {which} files cannot be read: {name_files(unreadable)}."
