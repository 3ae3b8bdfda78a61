"""Two sets of features that are compared: checked once, for all measures."""

import numpy as np


def feature_pair(first: np.ndarray, second: np.ndarray, *, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as arrays [num, size], after a check.

    Args:
        first, second: features [num, size], each set with its own number.
        least: features that each set must have.

    Returns:
        (first, second), not copied where they are arrays.

    Raises:
        ValueError: for other ranks, features of different size, too few of them, NaN or infinity.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or first.shape[1] == 0:
        raise ValueError(
            f"Expected two sets of features [num, size] of one size; received {first.shape} and {second.shape}. "
            "Images become features by keras_gen.evaluation.feature_extractor"
        )
    for features in (first, second):
        if len(features) < least:
            raise ValueError(f"Expected at least {least} features in each set; received {len(first)} and {len(second)}")
        if not np.isfinite(features).all():
            raise ValueError("The features hold NaN or infinity: look at the images that they were made of")
    return first, second
