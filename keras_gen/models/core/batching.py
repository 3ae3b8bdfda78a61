"""Functions of many rows, computed a batch at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np


def map_batches(function: Callable[[slice], Any], num: int, batch_size: int) -> np.ndarray:
    """Calls a function on consecutive ranges of rows and concatenates its results.

    Args:
        function: A range of rows -> an array or a tensor with one row for each of them.
        num: Number of rows, >= 1.
        batch_size: Rows in a call, >= 1; the last call may have fewer.

    Returns:
        The results, [num, ...].

    Example:
        >>> map_batches(lambda rows: np.arange(5)[rows] ** 2, 5, batch_size=2)
        array([ 0,  1,  4,  9, 16])
    """
    starts = range(0, num, batch_size)
    return np.concatenate([np.asarray(function(slice(start, min(start + batch_size, num)))) for start in starts])
