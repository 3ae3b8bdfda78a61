"""Where decoded images are held: in memory, or in one memory-mapped array on disk that a later run finds again."""

import json
import os
import pathlib
from collections.abc import Callable, Iterable

import numpy as np

from keras_gen import files

from ..info import UnreadableImage

# "auto" holds a set in memory up to this size (bytes of the fitted images).
MEMORY_LIMIT = 1 << 30
CACHES = ("auto", "memory", "disk", None)


def choose_cache(cache: str | None, count: int, image_shape: tuple[int, int, int], itemsize: int = 1) -> str:
    """Turn the argument `cache` into "memory", "disk" or "none".

    Args:
        cache: "auto" (memory where the fitted images take at most 1 GiB, else none), "memory", "disk" or None.
        count: images.
        image_shape: of one fitted image.
        itemsize: bytes of a channel value.

    Returns:
        "memory", "disk" or "none".

    Raises:
        ValueError: an unknown value.
    """
    if cache not in CACHES:
        raise ValueError(f"cache={cache!r} is unknown; known: {', '.join(repr(c) for c in CACHES)}.")
    if cache == "auto":
        return "memory" if count * int(np.prod(image_shape)) * itemsize <= MEMORY_LIMIT else "none"
    return cache or "none"


class Store:
    """Fills arrays block by block and keeps those of cache="disk" under a folder named by the data's fingerprint.

    Args:
        folder: where cache="disk" writes; None is `$XDG_CACHE_HOME/keras_gen` or `~/.cache/keras_gen`.
    """

    def __init__(self, folder: str | os.PathLike | None = None):
        if folder is None:
            root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
            self.folder = pathlib.Path(root) / "keras_gen"
        else:
            self.folder = pathlib.Path(folder).expanduser() / "keras_gen_cache"

    def collect(
        self, blocks: Iterable[dict[str, np.ndarray] | UnreadableImage], count: int, cache: str, key: str
    ) -> tuple[dict[str, np.ndarray], list[tuple[int, UnreadableImage]]]:
        """Join blocks of rows to arrays.

        Args:
            blocks: arrays [rows, ...] by field, of equal keys, shapes and types; an `UnreadableImage` stands for one
                row that is left out.
            count: rows to come, at most.
            cache: "memory" or "disk".
            key: fingerprint of the data; on disk, what was kept under it before is not read again.

        Returns:
            Arrays by field ([n, ...], bytes as objects) and the (position, error) of the rows left out.

        Raises:
            ValueError: where what was kept on disk is damaged.
        """
        if cache == "memory":
            return _join(blocks, count, np.empty)
        final = self.folder / key
        if not final.exists():
            try:
                with files.replacing(final) as scratch:
                    scratch.mkdir()
                    _write(scratch, blocks, count)
            except OSError:
                if not final.exists():  # else another process has just finished the same set
                    raise
        try:
            return _read(final)
        except Exception as error:  # BadZipFile, EOFError, KeyError, ...
            raise ValueError(_damaged(final, error)) from error

    def recall(self, key: str) -> str | None:
        """A text that was kept under a key, or None."""
        try:
            return (self.folder / f"{key}.txt").read_text() or None
        except (OSError, UnicodeDecodeError):
            return None

    def keep(self, key: str, text: str) -> None:
        """Keep a text under a key.

        Raises:
            OSError: where the folder cannot be written.
        """
        files.write_text(self.folder / f"{key}.txt", text)

    def remember_failures(
        self, key: str, blocks: Iterable[dict[str, np.ndarray] | UnreadableImage]
    ) -> list[tuple[int, UnreadableImage]]:
        """Return (position, error) of blocks of one row that are errors; under a key seen before, nothing is read."""
        file = self.folder / f"{key}.json"
        if not file.exists():
            found = [(i, row.file, row.reason) for i, row in enumerate(blocks) if isinstance(row, UnreadableImage)]
            files.write_text(file, json.dumps(found))
        try:
            return [(i, UnreadableImage(name, reason)) for i, name, reason in json.loads(file.read_text())]
        except (ValueError, TypeError) as error:
            raise ValueError(_damaged(file, error)) from error


def _damaged(path: pathlib.Path, error: Exception) -> str:
    return (
        f"{path}, what is kept of decoded images, is damaged: {error}. Delete it; it is written again from the images."
    )


def _join(blocks: Iterable, count: int, empty: Callable) -> tuple[dict[str, np.ndarray], list]:
    arrays: dict[str, np.ndarray] = {}
    failures, filled = [], 0
    for block in blocks:
        if isinstance(block, UnreadableImage):
            failures.append((filled + len(failures), block))
            continue
        for field, value in block.items():
            if field not in arrays:
                make = empty if field == "image" else np.empty
                arrays[field] = make((count, *value.shape[1:]), value.dtype)
            arrays[field][filled : filled + len(value)] = value
        filled += len(value)
    return {field: array[:filled] for field, array in arrays.items()}, failures


def _write(folder: pathlib.Path, blocks: Iterable, count: int) -> None:
    def empty(shape, dtype):
        return np.lib.format.open_memmap(folder / "image.npy", mode="w+", dtype=dtype, shape=shape)

    arrays, failures = _join(blocks, count, empty)
    arrays.pop("image", None)
    columns = {f"column_{k}": v.astype("S") if v.dtype == object else v for k, v in arrays.items()}
    filled = count - len(failures)
    np.savez(
        folder / "columns.npz",
        filled=filled,
        failed=np.array([position for position, _ in failures], np.int64),
        files=np.array([error.file for _, error in failures], str),
        reasons=np.array([error.reason for _, error in failures], str),
        **columns,
    )


def _read(folder: pathlib.Path) -> tuple[dict[str, np.ndarray], list]:
    with open(folder / "columns.npz", "rb") as file, np.load(file, allow_pickle=False) as kept:
        arrays = {}
        for key in kept.files:
            if key.startswith("column_"):
                value = kept[key]
                arrays[key.removeprefix("column_")] = value.astype(object) if value.dtype.kind == "S" else value
        failures = [
            (int(position), UnreadableImage(str(file), str(reason)))
            for position, file, reason in zip(kept["failed"], kept["files"], kept["reasons"], strict=True)
        ]
        filled = int(kept["filled"])
    if filled:
        arrays["image"] = np.load(folder / "image.npy", mmap_mode="r")[:filled]
    return arrays, failures
