"""The standard error of a mean."""

import math

import numpy as np


def standard_error(values: np.ndarray) -> float | None:
    """Returns the standard error of the mean of independent values, or None for a single value.

    Args:
        values: [num], numbers, or booleans for the error of a fraction.
    """
    return sample_standard_error(values) if len(values) > 1 else None


def sample_standard_error(values: np.ndarray) -> float:
    """Returns the standard error of the mean of two or more independent values.

    Args:
        values: [num], num >= 2; the sample standard deviation (n - 1) is used.

    Returns:
        the error in the units of the values.
    """
    values = np.asarray(values, np.float64)
    return float(values.std(ddof=1) / math.sqrt(len(values)))
