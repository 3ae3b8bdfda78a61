"""Image files that a command writes: names, formats, and protection of existing files."""

import csv
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from . import files, pictures

ARRAY = ".npy"
METADATA = "metadata.csv"
_NUMBERED = re.compile(r"\d{5,}\.png")
_MAX_LENGTH = 60  # characters of a condition in a file name


def check_file(path: pathlib.Path, *, overwrite: bool = False) -> None:
    """Checks that a file of images can be written, before the work whose result is written.

    Args:
        path: The file.
        overwrite: Whether an existing file may be replaced.

    Raises:
        ValueError: For a suffix whose format cannot be written; the message lists those that can.
        FileExistsError: If the file exists and `overwrite` is False.
        IsADirectoryError: If the path is a folder.
        NotADirectoryError: If a parent of the path is a file.
        PermissionError: If writing is not permitted.
    """
    known = (*pictures.FORMATS, ARRAY)
    if path.suffix.lower() not in known:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(known)}; received {path.suffix!r}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists. Replace it (--overwrite), or choose another name (--out)")
    files.check_writable(path.parent)


def is_folder(path: pathlib.Path) -> bool:
    """Returns whether a path means a folder of images: an existing folder, or a name without a suffix."""
    return path.is_dir() or not path.suffix


def check_folder(folder: pathlib.Path, *, overwrite: bool = False) -> None:
    """Checks that `write_folder` may write to a folder: it is new or empty, or was written by `write_folder`.

    Args:
        folder: The folder.
        overwrite: Whether its images may be replaced.

    Raises:
        FileExistsError: If the folder is not empty and `overwrite` is False.
        ValueError: If it has other files than numbered images and their metadata.csv.
        NotADirectoryError: If the path or one of its parents is a file.
        PermissionError: If writing is not permitted.
    """
    files.check_writable(folder)
    if not folder.is_dir() or not (names := sorted(path.name for path in folder.iterdir())):
        return
    if not overwrite:
        raise FileExistsError(f"{folder} is not empty. Replace its images (--overwrite), or choose another --out")
    foreign = [name for name in names if name != METADATA and not _NUMBERED.fullmatch(name)]
    if foreign or METADATA not in names:
        reason = f"contains {foreign[0]}" if foreign else f"has no {METADATA}"
        raise ValueError(
            f"{folder} {reason}: it was not written by this command, so it is not replaced. Choose another --out"
        )


def free_name(path: pathlib.Path) -> pathlib.Path:
    """Returns the path if it is free, else the first of `name_2.png`, `name_3.png`, ... that is."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return free


def sample_name(seed: int, conditions: Mapping[str, str]) -> str:
    """Returns a file name, without suffix, that describes the images.

    Args:
        seed: Seed of the noise.
        conditions: Name -> text, such as `{"label": "cat"}`; only its letters and digits are used, up to 60 characters.

    Example:
        >>> sample_name(1, {"label": "cat"})
        'seed_1_label_cat'
    """
    texts = {name: "-".join(re.findall(r"\w+", text))[:_MAX_LENGTH] for name, text in conditions.items()}
    return "_".join([f"seed_{seed}", *(f"{name}_{text}" for name, text in texts.items())])


def write_file(path: pathlib.Path, images: np.ndarray, columns: int | None = None, scale: int = 1) -> None:
    """Writes images as a grid, or as an array if the name ends in .npy.

    Args:
        path: The file.
        images: [num, height, width, channels] in [0, 1].
        columns: As for `pictures.grid`.
        scale: As for `pictures.grid`.
    """
    if path.suffix.lower() == ARRAY:
        with files.replacing(path) as scratch, open(scratch, "wb") as stream:
            np.save(stream, images)
    else:
        pictures.save(path, pictures.grid(images, columns, scale=scale))


def write_folder(folder: pathlib.Path, images: np.ndarray, columns: Mapping[str, Sequence[str]]) -> None:
    """Writes one file for each image, 00001.png, ..., and a metadata.csv, so that the folder can be used as data.

    Args:
        folder: The folder, see `check_folder`; files of an earlier call are deleted.
        images: [num, height, width, channels] in [0, 1].
        columns: Columns of metadata.csv: name -> a text for each image, such as `label`.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name == METADATA or _NUMBERED.fullmatch(path.name):
                path.unlink()
    names = [f"{number:05d}.png" for number in range(1, len(images) + 1)]
    for name, image in zip(names, images, strict=True):
        pictures.save(folder / name, image, durable=False)
    with files.replacing(folder / METADATA) as scratch, open(scratch, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file_name", *columns])
        writer.writerows(zip(names, *columns.values(), strict=True))
