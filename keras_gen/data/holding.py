"""Decode the images of a table once, and leave out those that cannot be read."""

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .fit import Fit
from .info import Images, Table, UnreadableImage
from .store import Store, choose_cache

ON_ERROR = ("skip", "raise")


def hold(table: Table, cache: str | None, fit: Fit, on_error: str, store: Store) -> Table:
    """Bring a table whose images are read one by one to where `cache` says.

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
    held, columns, skipped = {}, table.columns, []
    for field, images in table.images.items():
        key = f"{table.fingerprint}"
        arrays, failures = store.collect(_rows(images, on_error), images.count, how, key)
        skipped += [(error.file, error.reason) for _, error in failures]
        good = np.setdiff1d(np.arange(images.count), [position for position, _ in failures])
        held[field] = Images(len(good), images.dtype, array=arrays["image"])
        columns = {name: value[good] for name, value in columns.items()} if failures else columns
    return dataclasses.replace(table, images=held, columns=columns, skipped=tuple(skipped))


def _rows(images: Images, on_error: str) -> Iterator[dict[str, np.ndarray] | UnreadableImage]:
    def read(index):
        try:
            return {"image": images.read(index)}
        except UnreadableImage as error:
            return error

    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        for start in range(0, images.count, 256):       # in pieces, so that few decoded images wait
            for row in pool.map(read, range(start, min(start + 256, images.count))):
                if isinstance(row, UnreadableImage) and on_error == "raise":
                    raise row
                yield row
