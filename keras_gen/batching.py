"""Loops over the batches of many rows."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def batch_slices(total: int, batch_size: int, progress: Callable[[int, int], None] | None = None) -> Iterator[slice]:
    """Yields slices that divide rows into consecutive batches.

    Args:
        total: number of rows.
        batch_size: rows per batch, >= 1; the last batch may be smaller.
        progress: called with (rows done, total) before each batch, or None.

    Example:
        >>> list(batch_slices(5, 2))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, total, batch_size):
        if progress is not None:
            progress(start, total)
        yield slice(start, min(start + batch_size, total))


def map_batches(
    function: Callable[[slice], Any],
    total: int,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Returns the concatenated results of a function that is applied batch by batch.

    Args:
        function: rows, as a slice -> array or tensor [rows, ...].
        total: number of rows, >= 1.
        batch_size: rows per batch, >= 1; the last batch may be smaller.
        progress: called with (rows done, total) before each batch, or None.

    Returns:
        [total, ...].

    Example:
        >>> map_batches(lambda rows: np.arange(5)[rows] ** 2, 5, batch_size=2)
        array([ 0,  1,  4,  9, 16])
    """
    return np.concatenate([np.asarray(function(rows)) for rows in batch_slices(total, batch_size, progress)])
