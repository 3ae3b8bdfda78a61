"""What the image files of a folder say of themselves: their headers, and the values of those with more than 8 bits.

Nothing is read twice as long as the files stay as they are, since a command asks several times: to describe a source,
to plan a training and to load each split.
"""

import os
import pathlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from keras_gen.progress import report

from ..info import UnreadableImage
from ..value_range import Range, detect_range, note_of
from .image_file import DEEP_EXTENSIONS, Header, may_be_deep, read_header, read_image
from .links import outside

# files between two reports
_BLOCK = 256
# answers that are kept: of two domains, each with headers, deep files and values
_KEPT = 8
_known: dict[tuple, list] = {}


class Values(NamedTuple):
    """The smallest and the largest value of an image file, and whether its values are floats."""

    low: float
    high: float
    floats: bool


def inspect_files(paths: Sequence[pathlib.Path], root: pathlib.Path, max_pixels: int) -> list[Header | UnreadableImage]:
    """Reads the header of every file.

    Args:
        paths: image files.
        root: the folder that links may not leave.
        max_pixels: as in `read_image`.

    Returns:
        A header, or why there is none, for each file.
    """
    refused = outside(paths, root)

    def read(path: pathlib.Path) -> Header | UnreadableImage:
        try:
            if path in refused:
                raise UnreadableImage(path, refused[path])
            return read_header(path, max_pixels)
        except UnreadableImage as error:  # what is kept does not hold on to the frames where it was raised
            return UnreadableImage(error.file, error.reason)

    return _each("Reading image headers", paths, read, max_pixels)


def range_of_files(folder: pathlib.Path, paths: Sequence[pathlib.Path], max_pixels: int) -> tuple[Range, str | None]:
    """Detects the value range of a folder: that of its images with more than 8 bits, else 0..255.

    Args:
        folder: the source.
        paths: all its images, of every split.
        max_pixels: as in `read_image`.

    Returns:
        The range, and a line about it where it is none of 8 bits.

    Raises:
        ValueError: where the values fit no range; see `detect_range`.
    """
    headers = _known.get(_key("Reading image headers", paths, max_pixels))
    if headers is not None:
        deep = [path for path, header in zip(paths, headers, strict=True) if isinstance(header, Header) and header.deep]
    else:
        refused = outside(paths, folder)
        # a misnamed one fails later: its values lie outside of the range of 8 bits
        inside = [path for path in paths if path.suffix.lower() in DEEP_EXTENSIONS and path not in refused]
        may = _each("Looking for images of more than 8 bits", inside, may_be_deep, max_pixels)
        candidates = [path for path, possible in zip(inside, may, strict=True) if possible]
        found = inspect_files(candidates, folder, max_pixels) if candidates else []
        deep = [path for path, each in zip(candidates, found, strict=True) if isinstance(each, Header) and each.deep]
    if not deep:
        return (0.0, 255.0), None

    def read(path: pathlib.Path) -> Values | None:
        try:
            image = read_image(path, max_pixels=max_pixels)
        except UnreadableImage:  # reported when the images are loaded
            return None
        color = image if image.shape[-1] in (1, 3) else image[..., :-1]
        return Values(color.min().item(), color.max().item(), image.dtype.kind == "f")

    values = _each("Looking for the value range of deep images", deep, read, max_pixels)
    values = [each for each in values if each is not None]
    if not values:
        return (0.0, 255.0), None
    if len({each.floats for each in values}) > 1:
        raise ValueError(
            f"{folder} holds images of floats and images of integers with more than 8 bits. Expected one of them; "
            "convert the others."
        )
    high = max(each.high for each in values)
    value_range = detect_range(folder, min(each.low for each in values), high, values[0].floats)
    deeper = high > 255
    return value_range, note_of(value_range, high, f"{len(values):,} files of more than 8 bits") if deeper else None


def _key(what: str, paths: Sequence[pathlib.Path], max_pixels: int) -> tuple:
    files = []
    for path in paths:
        try:
            about = os.stat(path)
            files.append((os.fspath(path), about.st_size, about.st_mtime_ns))
        except OSError:
            files.append((os.fspath(path), None, None))
    return what, max_pixels, tuple(files)


def _each(what: str, paths: Sequence[pathlib.Path], read: Callable, max_pixels: int) -> list:
    """What `read` makes of each path, in several threads."""
    key = _key(what, paths, max_pixels)
    if key not in _known:
        found = []
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
            for start in range(0, len(paths), _BLOCK):
                report(what, start, len(paths))
                found += pool.map(read, paths[start : start + _BLOCK])
        while len(_known) >= _KEPT:
            del _known[next(iter(_known))]
        _known[key] = found
    return _known[key]
