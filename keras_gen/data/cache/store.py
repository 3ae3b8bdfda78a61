"""Storage of decoded images: in memory, or as a memory-mapped array on disk that later runs reuse."""

import json
import math
import os
import pathlib
from collections.abc import Callable, Iterable

import numpy as np

from keras_gen import files
from keras_gen.runtime.image_file import UnreadableImage

# cache="auto" keeps a split in memory up to this size (bytes of the resized images)
MEMORY_LIMIT = 1 << 30
CACHES = ("auto", "memory", "disk", None)

Block = dict[str, np.ndarray] | UnreadableImage
Failures = list[tuple[int, UnreadableImage]]


def check_cache(cache: str | None) -> str | None:
    """Returns the option `cache` unchanged.

    Raises:
        ValueError: For an unknown value.
    """
    if cache not in CACHES:
        raise ValueError(f"Expected cache as one of {', '.join(map(repr, CACHES))}; received {cache!r}.")
    return cache


def choose_cache(cache: str | None, count: int, image_shape: tuple[int, int, int], itemsize: int = 1) -> str:
    """Resolves the option `cache` to "memory", "disk" or "none".

    Args:
        cache: "auto" (memory if the resized images take at most 1 GiB, otherwise none), "memory", "disk" or None.
        count: Number of images.
        image_shape: (height, width, channels) of a resized image.
        itemsize: Bytes of a channel value.

    Returns:
        "memory", "disk" or "none".

    Raises:
        ValueError: For an unknown value.
    """
    if check_cache(cache) == "auto":
        return "memory" if count * math.prod(image_shape) * itemsize <= MEMORY_LIMIT else "none"
    return cache or "none"


class Store:
    """Collects decoded images into arrays, and keeps those of cache="disk" in a folder named after their fingerprint.

    Args:
        folder: Parent of the cache folder; None is `$XDG_CACHE_HOME/keras_gen` or `~/.cache/keras_gen` itself.
    """

    def __init__(self, folder: str | os.PathLike | None = None):
        if folder is None:
            root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
            self.folder = pathlib.Path(root) / "keras_gen"
        else:
            self.folder = pathlib.Path(folder).expanduser() / "keras_gen_cache"

    def collect(
        self, blocks: Iterable[Block], count: int, cache: str, key: str
    ) -> tuple[dict[str, np.ndarray], Failures]:
        """Concatenates blocks of rows to arrays.

        Args:
            blocks: Field -> array [rows, ...], with the same fields, shapes and types in every block; an
                `UnreadableImage` in place of a block stands for one skipped row.
            count: Upper bound of the number of rows.
            cache: "memory" or "disk".
            key: Fingerprint of the data; if it is already on disk, `blocks` are not read.

        Returns:
            Field -> array [n, ...] (bytes as objects), and (position, error) of the skipped rows.

        Raises:
            ValueError: If the cached files are damaged.
        """
        if cache == "memory":
            return _concatenate(blocks, count, np.empty)
        final = self.folder / key
        if not final.exists():
            try:
                with files.replacing(final) as scratch:
                    scratch.mkdir()
                    _write(scratch, blocks, count)
            except OSError:
                if not final.exists():  # otherwise another process has just cached the same data
                    raise
        try:
            return _read(final)
        except Exception as error:  # BadZipFile, EOFError, KeyError, ...
            raise ValueError(_damaged(final, error)) from error

    def read_text(self, key: str) -> str | None:
        """Returns the text that is cached under a key, or None."""
        try:
            return (self.folder / f"{key}.txt").read_text() or None
        except (OSError, UnicodeDecodeError):
            return None

    def write_text(self, key: str, text: str) -> None:
        """Caches a text under a key.

        Raises:
            OSError: If the folder is not writable.
        """
        files.write_text(self.folder / f"{key}.txt", text)

    def find_failures(self, key: str, blocks: Iterable[Block]) -> Failures:
        """Returns (position, error) of the unreadable images; the result is cached under the key.

        Args:
            key: Fingerprint of the data; if its failures are already on disk, `blocks` are not read.
            blocks: One block per image.
        """
        file = self.folder / f"{key}.json"
        if not file.exists():
            failures = [
                (position, block.file, block.reason)
                for position, block in enumerate(blocks)
                if isinstance(block, UnreadableImage)
            ]
            files.write_text(file, json.dumps(failures))
        try:
            return [(position, UnreadableImage(name, why)) for position, name, why in json.loads(file.read_text())]
        except (ValueError, TypeError) as error:
            raise ValueError(_damaged(file, error)) from error


def _damaged(path: pathlib.Path, error: Exception) -> str:
    return f"The cache of decoded images {path} is damaged: {error}. Delete it; it is rebuilt from the images."


def _concatenate(blocks: Iterable[Block], count: int, empty: Callable) -> tuple[dict[str, np.ndarray], Failures]:
    """Copies blocks into arrays.

    Args:
        blocks: As in `Store.collect`.
        count: Rows to allocate.
        empty: Function from (shape, dtype) to the uninitialized array of images.
    """
    arrays: dict[str, np.ndarray] = {}
    failures: Failures = []
    filled = 0
    for block in blocks:
        if isinstance(block, UnreadableImage):
            failures.append((filled + len(failures), block))
            continue
        rows = 0
        for field, value in block.items():
            if field not in arrays:
                allocate = empty if field == "image" else np.empty
                arrays[field] = allocate((count, *value.shape[1:]), value.dtype)
            arrays[field][filled : filled + len(value)] = value
            rows = len(value)
        filled += rows
    return {field: array[:filled] for field, array in arrays.items()}, failures


def _write(folder: pathlib.Path, blocks: Iterable[Block], count: int) -> None:
    def empty(shape, dtype):
        return np.lib.format.open_memmap(folder / "image.npy", mode="w+", dtype=dtype, shape=shape)

    arrays, failures = _concatenate(blocks, count, empty)
    arrays.pop("image", None)
    members: dict[str, np.ndarray] = {
        "filled": np.array(count - len(failures)),
        "failed": np.array([position for position, _ in failures], np.int64),
        "files": np.array([error.file for _, error in failures], str),
        "reasons": np.array([error.reason for _, error in failures], str),
    }
    for field, column in arrays.items():
        members[f"column_{field}"] = column.astype("S") if column.dtype == object else column
    np.savez(folder / "columns.npz", **members)  # ty: ignore[invalid-argument-type]  # no member is `allow_pickle`


def _read(folder: pathlib.Path) -> tuple[dict[str, np.ndarray], Failures]:
    with open(folder / "columns.npz", "rb") as file, np.load(file, allow_pickle=False) as members:
        arrays = {}
        for key in members.files:
            if key.startswith("column_"):
                value = members[key]
                arrays[key.removeprefix("column_")] = value.astype(object) if value.dtype.kind == "S" else value
        failures = [
            (int(position), UnreadableImage(str(file), str(reason)))
            for position, file, reason in zip(members["failed"], members["files"], members["reasons"], strict=True)
        ]
        filled = int(members["filled"])
    if filled:
        arrays["image"] = np.load(folder / "image.npy", mmap_mode="r")[:filled]
    return arrays, failures
