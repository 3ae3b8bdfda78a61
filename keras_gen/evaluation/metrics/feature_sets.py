"""The check of two sets of features, the same for all metrics."""

import numpy as np


def feature_pair(first: np.ndarray, second: np.ndarray, *, min_features: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Checks two sets of features and returns them as arrays [num, size].

    Args:
        first: features [num, size].
        second: features [other num, size].
        min_features: minimum number of features in each set.

    Returns:
        (first, second), without a copy of arrays.

    Raises:
        ValueError: for other ranks, features of different size, too few features, NaN or infinity.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or first.shape[1] == 0:
        raise ValueError(
            f"Expected two sets of features [num, size] of one size; received {first.shape} and {second.shape}. "
            "keras_gen.evaluation.feature_extractor computes features of images"
        )
    for features in (first, second):
        if len(features) < min_features:
            raise ValueError(
                f"Expected at least {min_features} features in each set; received {len(first)} and {len(second)}"
            )
        if not np.isfinite(features).all():
            raise ValueError(
                "Expected finite features; received NaN or infinity. Check the images from which they were computed"
            )
    return first, second
