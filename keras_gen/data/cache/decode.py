"""Decode the images of a table once, and leave out those that cannot be read."""

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_gen.progress import report

from ..info import Images, Table, UnreadableImage
from ..resize import Resize
from .store import Store, choose_cache

ON_ERROR = ("skip", "raise")


def decode_and_cache(table: Table, cache: str | None, fit: Resize, on_error: str, store: Store) -> Table:
    """Bring a table whose images are read one by one to where `cache` says.

    Files that are decoded when they are needed are all decoded once before, to find the unreadable ones; what was found
    is kept in the store, so that a set is checked once.

    Args:
        table: images with `read`.
        cache: as in `keras_gen.data.load`.
        fit: the shape that the images have when read.
        on_error: "skip" leaves unreadable files out and names them in `skipped`; "raise" stops at the first.
        store: where decoded images are kept.

    Returns:
        The table with arrays (memory, disk) or with readers of the readable images only.

    Raises:
        ValueError: an unreadable file where `on_error` is "raise", or no readable file at all.
    """
    total = sum(images.count for images in table.images.values())
    itemsize = max(images.dtype.itemsize for images in table.images.values())
    how = choose_cache(cache, total, fit.image_shape, itemsize)
    held, columns, skipped = {}, table.columns, [*table.skipped]
    for field, images in table.images.items():
        key = f"{table.fingerprint[:24]}-{field}"
        arrays = {}
        if how != "none":
            arrays, failures = store.collect(_blocks(images, on_error), images.count, how, key)
        elif images.fallible:
            failures = store.remember_failures(key, _blocks(images, on_error))
        else:
            failures = []
        if failures and on_error == "raise":  # found by an earlier run
            raise failures[0][1]
        if len(failures) == images.count:
            error = failures[0][1]
            raise ValueError(f"None of the {images.count} files can be read. The first, {error}")
        skipped += [(error.file, error.reason) for _, error in failures]
        good = np.setdiff1d(np.arange(images.count), [position for position, _ in failures])
        held[field] = _held(images, arrays.get("image"), good)
        if failures:
            columns = {name: value[good] for name, value in columns.items()}
    return dataclasses.replace(table, images=held, columns=columns, skipped=tuple(skipped))


def _held(images: Images, array: np.ndarray | None, good: np.ndarray) -> Images:
    if array is not None:
        return Images(len(good), images.dtype, array=array)
    return Images(len(good), images.dtype, read=lambda index: images.read(int(good[index])))


def _blocks(images: Images, on_error: str) -> Iterator[dict[str, np.ndarray] | UnreadableImage]:
    def read(index: int) -> dict[str, np.ndarray] | UnreadableImage:
        try:
            return {"image": images.read(index)[None]}
        except UnreadableImage as error:
            return error

    workers = min(16, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, images.count, 256):  # in pieces, so that few decoded images wait
            for index, block in enumerate(pool.map(read, range(start, min(start + 256, images.count))), start):
                report("Reading the images", index + 1, images.count)
                if isinstance(block, UnreadableImage) and on_error == "raise":
                    raise block
                yield block
