"""Names and slices of splits: the grammar of TFDS ("train[:90%]", "train[-1000:]", "train+test") for other sources."""

import hashlib
import re
from collections.abc import Container, Mapping, Sequence

import numpy as np

SLICES = ("random", "file")
# name of a folder or array in lower case -> split of `keras_gen.data.load`
CANONICAL = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
_PART = re.compile(r"^(?P<name>[\w.-]+)(\[(?P<start>-?\d+%?)?:(?P<stop>-?\d+%?)?\])?$")
_DOMAIN = re.compile(rf"^({'|'.join(CANONICAL)})([ab])$", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w.-])[A-Za-z]+(?=\[|\+|\s|$)")


def split_rows(split: str, counts: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Parses a split.

    Args:
        split: A name, optionally with a slice in examples or percent of the split, or a sum of these:
            "train", "train[:90%]", "train[-1000:]", "train[10%:20%]+test".
        counts: Name of each split -> number of examples.

    Returns:
        A list of (name, first row, row after the last), in the order of the sum.

    Raises:
        ValueError: For an unknown name, a syntax error or an empty slice.

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
                f"Expected a split with an optional slice, such as 'train[:90%]', 'train[-1000:]' or 'train+test'; "
                f"received split={split!r}. Known splits: {known}."
            )
        name = match["name"]
        if name not in counts:
            raise ValueError(
                f"Expected a known split; received split={split!r}, no split {name!r}. Known splits: {known}."
            )
        start = _boundary(match["start"], counts[name], 0, split)
        stop = _boundary(match["stop"], counts[name], counts[name], split)
        if start >= stop:
            raise ValueError(
                f"Expected at least one example; received split={split!r}, which selects no example. Known splits: "
                f"{known}."
            )
        parts.append((name, start, stop))
    return parts


def choose_rows(names: Sequence[str | int], start: int, stop: int) -> np.ndarray:
    """Selects the rows of a slice: a fixed random choice, so that slices of a sorted source contain every class.

    Rows are ranked by the MD5 digest of their names. The rank depends on no seed, platform or other row: two runs
    validate on the same images, and rows that are added later do not change the rank of the others.

    Args:
        names: Unique name of each row of the split (a file's path or the row's number).
        start: First rank of the slice.
        stop: Rank after the last one.

    Returns:
        Ascending int64 [stop - start]: the rows of a slice keep the order of the source.

    Example:
        >>> choose_rows(range(6), 0, 3).tolist()
        [1, 2, 4]
    """
    if (start, stop) == (0, len(names)):
        return np.arange(len(names))
    digests = [hashlib.md5(str(name).encode(), usedforsecurity=False).digest() for name in names]
    return np.sort(np.array(sorted(range(len(names)), key=digests.__getitem__)[start:stop], np.int64))


def split_names(split: str) -> list[str]:
    """Returns the names in a split without their slices: "train[:90%]+test" -> ["train", "test"]."""
    return [text.strip().split("[")[0] for text in str(split).split("+")]


def canonical_split(name: str) -> str | None:
    """Returns the split that a folder or array is named after, or None: `"Testing"` -> `"test"`, `"cats"` -> None."""
    return CANONICAL.get(name.lower())


def canonical_domain(name: str) -> tuple[str, str] | None:
    """Returns the split and the domain that a folder is named after, or None: `"TrainA"` -> `("train", "A")`."""
    match = _DOMAIN.match(name)
    return match and (CANONICAL[match[1].lower()], match[2].upper())


def canonicalize_splits(split: str, known: Container[str]) -> str:
    """Replaces alternative names of splits by the canonical ones.

    Args:
        split: A split of `keras_gen.data.load`.
        known: Names of the existing splits. A name that is one of them, or stands for none of them, is unchanged.

    Example:
        >>> canonicalize_splits("val[:10%]+Train", ["train", "validation"])
        'validation[:10%]+train'
    """

    def replace(match: re.Match) -> str:
        name = canonical_split(match[0])
        return name if name is not None and match[0] not in known and name in known else match[0]

    return _NAME.sub(replace, str(split))


def _boundary(text: str | None, count: int, default: int, split: str) -> int:
    if text is None:
        return default
    if text.endswith("%"):
        percent = int(text[:-1])
        if abs(percent) > 100:
            raise ValueError(f"Expected a slice from -100% to 100%; received {text} in split={split!r}.")
        value = round(percent * count / 100)
    else:
        value = int(text)
    return min(max(value + count if value < 0 else value, 0), count)
