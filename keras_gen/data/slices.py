"""The slicing of splits that TFDS knows ("train[:90%]", "train[-1000:]", "train+test"), for every other source."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

SLICES = ("random", "file")
_PART = re.compile(r"^(?P<name>[\w.-]+)(\[(?P<start>-?\d+%?)?:(?P<stop>-?\d+%?)?\])?$")


def split_rows(split: str, counts: dict[str, int]) -> list[tuple[str, int, int]]:
    """Read a split description.

    Args:
        split: a name, with a slice in examples or per cent of the split, and sums of these:
            "train", "train[:90%]", "train[-1000:]", "train[10%:20%]+test".
        counts: the known splits and their number of examples.

    Returns:
        A list of (name, first row, row after the last), in the order given.

    Raises:
        ValueError: an unknown name, a description that cannot be read, or one that selects nothing.

    Example:
        >>> split_rows("train[90%:]", {"train": 50})
        [('train', 45, 50)]
    """
    known = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
    parts = []
    for text in str(split).split("+"):
        match = _PART.match(text.strip())
        if match is None:
            raise ValueError(
                f"split={split!r} cannot be read. Write a name with an optional slice, such as "
                f"'train[:90%]', 'train[-1000:]' or 'train+test'. Known splits: {known}."
            )
        name = match["name"]
        if name not in counts:
            raise ValueError(f"split={split!r}: there is no split {name!r}. Known splits: {known}.")
        start = _boundary(match["start"], counts[name], 0, split)
        stop = _boundary(match["stop"], counts[name], counts[name], split)
        if start >= stop:
            raise ValueError(f"split={split!r} selects no example. Known splits: {known}.")
        parts.append((name, start, stop))
    return parts


def choose_rows(names: Sequence[str | int], start: int, stop: int) -> np.ndarray:
    """Which rows of a split a slice of it holds: a fixed random choice, so that a sorted source loses no class to one.

    The rank of a row is the MD5 digest of its name: it depends on no seed, platform or other row, so two runs validate
    on the same images, and rows that are added later leave the others in place.

    Args:
        names: of all rows of the split, each another one (a file's path, a row's number).
        start, stop: of the slice.

    Returns:
        Ascending int64 [stop - start]: rows of a slice stay in the order of the source.

    Example:
        >>> choose_rows(range(6), 0, 3).tolist()
        [1, 2, 4]
    """
    if (start, stop) == (0, len(names)):
        return np.arange(len(names))
    digests = [hashlib.md5(str(name).encode(), usedforsecurity=False).digest() for name in names]
    return np.sort(np.array(sorted(range(len(names)), key=digests.__getitem__)[start:stop], np.int64))


def split_names(split: str) -> list[str]:
    """Names in a split description, without their slices: "train[:90%]+test" -> ["train", "test"]."""
    return [text.strip().split("[")[0] for text in str(split).split("+")]


def _boundary(text: str | None, count: int, default: int, split: str) -> int:
    if text is None:
        return default
    if text.endswith("%"):
        percent = int(text[:-1])
        if abs(percent) > 100:
            raise ValueError(f"split={split!r}: {text} is not a part of the split; use -100% to 100%.")
        value = round(percent * count / 100)
    else:
        value = int(text)
    return min(max(value + count if value < 0 else value, 0), count)
