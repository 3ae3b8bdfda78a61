"""Headers of the image files in a folder, and the value range of those with more than 8 bits.

Results are cached while the files are unmodified, since a command needs them several times: to describe a source, to
configure training and to load each split.
"""

import itertools
import os
import pathlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from keras_gen.progress import report
from keras_gen.runtime.image_file import Header, UnreadableImage, read_header, read_image
from keras_gen.runtime.regular_file import open_regular

from ..value_range import EIGHT_BITS, Range, detect_range, range_note
from .links import find_outside

# formats that may have more than 8 bits per channel
_DEEP_EXTENSIONS = (".png", ".tif", ".tiff")
# files between two progress reports
_BLOCK = 256
# cached results: headers, deep files and values of two domains, and two more
_MAX_RESULTS = 8
_results: dict[tuple, list] = {}


class Values(NamedTuple):
    """The values of an image file.

    Attributes:
        low: The smallest value of its colors.
        high: The largest value of its colors.
        floats: Whether the values are floats.
    """

    low: float
    high: float
    floats: bool


def inspect_files(paths: Sequence[pathlib.Path], root: pathlib.Path, max_pixels: int) -> list[Header | UnreadableImage]:
    """Reads the header of every file.

    Args:
        paths: Image files.
        root: The folder that links must not leave.
        max_pixels: As in `read_image`.

    Returns:
        For each file, its header, or the error if it cannot be read.
    """
    refused = find_outside(paths, root)

    def read(path: pathlib.Path) -> Header | UnreadableImage:
        try:
            if path in refused:
                raise UnreadableImage(path, refused[path])
            return read_header(path, max_pixels)
        except UnreadableImage as error:  # a new error without traceback, which would keep frames alive in the cache
            return UnreadableImage(error.file, error.reason)

    return _map_files("Reading image headers", paths, read, max_pixels)


def range_of_files(folder: pathlib.Path, paths: Sequence[pathlib.Path], max_pixels: int) -> tuple[Range, str | None]:
    """Detects the value range of a folder, which is 0..255 unless it has images with more than 8 bits.

    Args:
        folder: The source.
        paths: Its images, of all splits.
        max_pixels: As in `read_image`.

    Returns:
        The range, and a note about it if it has more than 8 bits.

    Raises:
        ValueError: If the values fit no range; see `detect_range`.
    """
    headers = _results.get(_key("Reading image headers", paths, max_pixels))
    if headers is not None:
        deep = [path for path, header in zip(paths, headers, strict=True) if isinstance(header, Header) and header.deep]
    else:
        refused = find_outside(paths, folder)
        # a deep image with another extension raises an error later, as its values are outside of the 8-bit range
        inside = [path for path in paths if path.suffix.lower() in _DEEP_EXTENSIONS and path not in refused]
        possible = _map_files("Looking for images of more than 8 bits", inside, _may_be_deep, max_pixels)
        candidates = list(itertools.compress(inside, possible))
        headers = inspect_files(candidates, folder, max_pixels) if candidates else []
        deep = [path for path, each in zip(candidates, headers, strict=True) if isinstance(each, Header) and each.deep]
    if not deep:
        return EIGHT_BITS, None

    def read(path: pathlib.Path) -> Values | None:
        try:
            image = read_image(path, max_pixels=max_pixels)
        except UnreadableImage:  # reported when the images are loaded
            return None
        color = image if image.shape[-1] in (1, 3) else image[..., :-1]
        return Values(color.min().item(), color.max().item(), image.dtype.kind == "f")

    values = _map_files("Looking for the value range of deep images", deep, read, max_pixels)
    values = [each for each in values if each is not None]
    if not values:
        return EIGHT_BITS, None
    if len({each.floats for each in values}) > 1:
        raise ValueError(
            f"{folder}: expected images of more than 8 bits as integers or as floats; received both. Convert some of "
            "them."
        )
    high = max(each.high for each in values)
    value_range = detect_range(folder, min(each.low for each in values), high, values[0].floats)
    note = range_note(value_range, high, f"{len(values):,} files of more than 8 bits") if high > 255 else None
    return value_range, note


def _may_be_deep(file: pathlib.Path) -> bool:
    """Returns whether the first bytes of a file allow more than 8 bits per channel; False if it cannot be read."""
    try:
        with open_regular(file) as stream:
            prefix = stream.read(25)
    except (OSError, ValueError):
        return False
    return prefix.startswith((b"II", b"MM")) or (prefix.startswith(b"\x89PNG") and prefix[24:] == b"\x10")


def _key(what: str, paths: Sequence[pathlib.Path], max_pixels: int) -> tuple:
    files = []
    for path in paths:
        try:
            stat = os.stat(path)
            files.append((os.fspath(path), stat.st_size, stat.st_mtime_ns))
        except OSError:
            files.append((os.fspath(path), None, None))
    return what, max_pixels, tuple(files)


def _map_files(what: str, paths: Sequence[pathlib.Path], read: Callable, max_pixels: int) -> list:
    """Applies a function to every path in several threads; the result is cached under `what`."""
    key = _key(what, paths, max_pixels)
    if key not in _results:
        results = []
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
            for start in range(0, len(paths), _BLOCK):
                report(what, start, len(paths))
                results += pool.map(read, paths[start : start + _BLOCK])
        while len(_results) >= _MAX_RESULTS:
            del _results[next(iter(_results))]
        _results[key] = results
    return _results[key]
