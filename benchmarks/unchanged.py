"""How much translated images change where nothing should change."""

import numpy as np


def unchanged_error(translated: np.ndarray, given: np.ndarray, unchanged: np.ndarray) -> float:
    """Mean absolute change over pixels that should stay as they are.

    Args:
        translated, given: [num, height, width, channels] in [0, 1].
        unchanged: bool [num, height, width], the pixels that all domains share; at least one.

    Returns:
        In [0, 1], over all such pixels of all images; times 255 it is in 8-bit steps.

    Raises:
        ValueError: for shapes that do not fit, or no such pixel.
    """
    first, second = np.asarray(translated, np.float64), np.asarray(given, np.float64)
    if first.shape != second.shape or first.ndim != 4:
        raise ValueError(
            f"Expected images [num, height, width, channels] of one shape; received {first.shape} and {second.shape}"
        )
    unchanged = np.asarray(unchanged, bool)
    if unchanged.shape != first.shape[:3] or not unchanged.any():
        raise ValueError(
            f"Expected unchanged {list(first.shape[:3])} with a pixel that should stay; received "
            f"{list(unchanged.shape)}, {int(unchanged.sum())} of them"
        )
    return float(np.abs(first - second)[unchanged].mean())
