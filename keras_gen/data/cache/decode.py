"""Decodes the images of a table once, and skips those that cannot be read."""

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_gen.progress import report
from keras_gen.runtime.image_file import UnreadableImage

from ..info import Images, Table
from ..resize import Resize
from .store import Block, Failures, Store, choose_cache

ON_ERROR = ("skip", "raise")
# images that are decoded ahead of the one that is stored
_BLOCK = 256


def decode_and_cache(table: Table, cache: str | None, resize: Resize, on_error: str, store: Store) -> Table:
    """Decodes the images of a table into the cache, or checks that they can be decoded on demand.

    Without a cache, every file is still decoded once to find the unreadable ones. The result of this check is stored,
    so that later runs skip it.

    Args:
        table: A table whose images have a function `read`.
        cache: As in `keras_gen.data.load`.
        resize: Target shape of the images.
        on_error: "skip" leaves unreadable files out and lists them in `skipped`; "raise" stops at the first.
        store: Storage of decoded images.

    Returns:
        The table, with arrays (memory, disk) or with the readable images only.

    Raises:
        ValueError: For an unreadable file if `on_error` is "raise", or if no file is readable.
    """
    total = sum(images.count for images in table.images.values())
    itemsize = max(images.dtype.itemsize for images in table.images.values())
    where = choose_cache(cache, total, resize.image_shape, itemsize)
    decoded, columns, skipped = {}, table.columns, [*table.skipped]
    for field, images in table.images.items():
        array, failures = _decode(images, where, on_error, store, f"{table.fingerprint[:24]}-{field}")
        if failures and on_error == "raise":  # stored by an earlier run
            raise failures[0][1]
        if len(failures) == images.count:
            error = failures[0][1]
            raise ValueError(f"None of the {images.count} files can be read. The first, {error}")
        skipped += [(error.file, error.reason) for _, error in failures]
        readable = np.setdiff1d(np.arange(images.count), [position for position, _ in failures])
        if array is None:
            decoded[field] = dataclasses.replace(images.select(readable), fallible=False)
        else:
            decoded[field] = Images(len(readable), images.dtype, array=array)
        if failures:
            columns = {name: value[readable] for name, value in columns.items()}
    return dataclasses.replace(table, images=decoded, columns=columns, skipped=tuple(skipped))


def _decode(images: Images, where: str, on_error: str, store: Store, key: str) -> tuple[np.ndarray | None, Failures]:
    """Returns the decoded images if there is a cache, and the unreadable ones."""
    if where != "none":
        arrays, failures = store.collect(_blocks(images, on_error), images.count, where, key)
        return arrays.get("image"), failures
    return None, store.find_failures(key, _blocks(images, on_error)) if images.fallible else []


def _blocks(images: Images, on_error: str) -> Iterator[Block]:
    def read(index: int) -> Block:
        try:
            return {"image": images.get(index)[None]}
        except UnreadableImage as error:
            return error

    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        for start in range(0, images.count, _BLOCK):
            for index, block in enumerate(pool.map(read, range(start, min(start + _BLOCK, images.count))), start):
                report("Reading the images", index + 1, images.count)
                if isinstance(block, UnreadableImage) and on_error == "raise":
                    raise block
                yield block
