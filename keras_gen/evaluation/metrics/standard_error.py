"""The standard error of a mean, the same everywhere."""

import math

import numpy as np


def standard_error(values: np.ndarray) -> float | None:
    """The standard error of the mean of independent values, from their sample standard deviation (n - 1).

    Args:
        values: [num], numbers or booleans (of a share).

    Returns:
        The error in the units of the values; None for a single value, whose spread is unknown.
    """
    values = np.asarray(values, np.float64)
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
