"""How far translated images are from their true counterparts, where these are known."""

import numpy as np


def counterpart_error(translated: np.ndarray, counterparts: np.ndarray) -> np.ndarray:
    """Mean absolute difference from what a translation should have been, of every image.

    Beside it belongs the error of doing nothing, `counterpart_error(given, counterparts)`.

    Args:
        translated, counterparts: [num, height, width, channels] in [0, 1].

    Returns:
        float64 [num] in [0, 1], in units of an image's range.

    Raises:
        ValueError: for two shapes, or anything but images.
    """
    first, second = _checked(translated, counterparts)
    return np.abs(first - second).mean(axis=(1, 2, 3))


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
    first, second = _checked(translated, given)
    unchanged = np.asarray(unchanged, bool)
    if unchanged.shape != first.shape[:3] or not unchanged.any():
        raise ValueError(
            f"Expected unchanged {list(first.shape[:3])} with a pixel that should stay; received "
            f"{list(unchanged.shape)}, {int(unchanged.sum())} of them"
        )
    return float(np.abs(first - second)[unchanged].mean())


def _checked(first, second) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 4 or not first.size:
        raise ValueError(
            f"Expected images [num, height, width, channels] of one shape; received {first.shape} and {second.shape}"
        )
    return first, second
