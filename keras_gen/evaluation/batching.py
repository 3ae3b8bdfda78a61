"""The loop over batches that metrics and evaluators share."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .types import Progress, no_progress


def batch_slices(total: int, batch_size: int, progress: Progress = no_progress) -> Iterator[slice]:
    """Yields slices that divide rows into consecutive batches.

    Args:
        total: number of rows.
        batch_size: rows per batch, >= 1; the last batch may be smaller.
        progress: called with (rows done, total) before each batch.

    Example:
        >>> list(batch_slices(5, 2))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, total, batch_size):
        progress(start, total)
        yield slice(start, min(start + batch_size, total))


def map_batches(
    function: Callable[[slice], Any], total: int, batch_size: int, progress: Progress = no_progress
) -> np.ndarray:
    """Returns the concatenated results of a function that is applied batch by batch.

    Args:
        function: rows, as a slice -> array or tensor [rows, ...].
        total: number of rows, >= 1.
        batch_size: rows per batch, >= 1.
        progress: called with (rows done, total) before each batch.

    Returns:
        [total, ...].
    """
    return np.concatenate([np.asarray(function(rows)) for rows in batch_slices(total, batch_size, progress)])
