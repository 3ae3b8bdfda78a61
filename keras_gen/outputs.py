"""Files that a command writes images to: their names, their formats, and that nothing is overwritten unasked."""

import csv
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from . import files, pictures

ARRAY = ".npy"
METADATA = "metadata.csv"
_NUMBERED = re.compile(r"\d{5,}\.png")
_LONGEST = 60  # characters of a text in a file's name


def check_file(path: pathlib.Path, *, overwrite: bool = False) -> None:
    """Whether a file of images can be written at a path, asked before anything that takes long.

    Raises:
        ValueError: for a suffix whose format cannot be written; lists those that can.
        FileExistsError: where there is such a file, and `overwrite` is False.
        IsADirectoryError, NotADirectoryError, PermissionError: where it cannot be written.
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
    """Whether a path stands for a folder of images: an existing folder, or a name without a suffix."""
    return path.is_dir() or not path.suffix


def check_folder(folder: pathlib.Path, *, overwrite: bool = False) -> None:
    """Whether `write_folder` may write to a folder: it is new or empty, or holds what `write_folder` wrote.

    Raises:
        FileExistsError: where it holds anything, and `overwrite` is False.
        ValueError: where it holds something else than numbered images and their metadata.csv.
        NotADirectoryError, PermissionError: where it cannot be written.
    """
    files.check_writable(folder)
    if not folder.is_dir() or not (found := sorted(path.name for path in folder.iterdir())):
        return
    if not overwrite:
        raise FileExistsError(f"{folder} is not empty. Replace its images (--overwrite), or choose another --out")
    foreign = [name for name in found if name != METADATA and not _NUMBERED.fullmatch(name)]
    if foreign or METADATA not in found:
        what = f"holds {foreign[0]}" if foreign else f"has no {METADATA}"
        raise ValueError(
            f"{folder} {what}: it was not written by this command, so it is not replaced. Choose another --out"
        )


def free_name(path: pathlib.Path) -> pathlib.Path:
    """The path, or where it is taken the first of `name_2.png`, `name_3.png`, ... that is not."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return found


def sample_name(seed: int, conditions: Mapping[str, str]) -> str:
    """A file's name that says what is in the picture, without its suffix.

    Args:
        seed: of the noise.
        conditions: name -> text, such as `{"label": "cat"}`; its letters and digits are kept, up to 60 characters.

    Example:
        >>> sample_name(1, {"label": "cat"})
        'seed_1_label_cat'
    """
    texts = {name: "-".join(re.findall(r"\w+", text))[:_LONGEST] for name, text in conditions.items()}
    return "_".join([f"seed_{seed}", *(f"{name}_{text}" for name, text in texts.items())])


def write_file(path: pathlib.Path, images: np.ndarray, columns: int | None = None, scale: int = 1) -> None:
    """Write images [num, height, width, channels] in [0, 1] as a grid, or as they are where the name ends in .npy."""
    if path.suffix.lower() == ARRAY:
        with files.replacing(path) as scratch, open(scratch, "wb") as stream:
            np.save(stream, images)
    else:
        pictures.save(path, pictures.grid(images, columns, scale=scale))


def write_folder(folder: pathlib.Path, images: np.ndarray, columns: Mapping[str, Sequence[str]]) -> None:
    """Write one file for each image, 00001.png, ..., and a metadata.csv, so that the folder is a source of data.

    Args:
        folder: see `check_folder`; what an earlier call wrote there is deleted.
        images: [num, height, width, channels] in [0, 1].
        columns: of metadata.csv, name -> a text for each image, such as `label`.
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
