"""MS-SSIM between pairs of images of one set: how alike its images are."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .standard_error import standard_error

# of the scales from fine to coarse, Wang et al. 2003
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW = 11
CHUNK = 256


class Similarity(NamedTuple):
    """The mean similarity of pairs.

    value: mean MS-SSIM, 0 to 1.
    error: standard error of the value.
    scales: scales in each comparison, 1 to 5.
    pairs: compared pairs.
    """

    value: float
    error: float
    scales: int
    pairs: int


def scales_of(height: int, width: int) -> int:
    """How many of the five scales hold a window of 11 pixels: 1 from 11 pixels, 2 from 21, 3 from 41, 5 from 161.

    Raises:
        ValueError: below 11 pixels.
    """
    size, scales = min(height, width), 0
    if size < WINDOW:
        raise ValueError(f"MS-SSIM needs images of {WINDOW} pixels or more; received {height}x{width}")
    while size >= WINDOW and scales < len(WEIGHTS):
        size, scales = math.ceil(size / 2), scales + 1
    return scales


def ms_ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Multi-scale structural similarity of pairs, with as many of the five scales as an 11-pixel window fits into.

    Each scale halves the one before, and an odd size is rounded up: the last row or column is averaged with itself, as
    in the paper's own program. The weights of the scales that are used are divided by their sum. Values with different
    numbers of scales are different measures. A negative structure term counts as 0.

    Args:
        first, second: float32 [num, height, width, channels] in [0, 1], the same shape.

    Returns:
        float32 [num], 0 to 1; 1 for equal images; mean over channels.

    Raises:
        ValueError: for images below 11 pixels, or sets of different shape.

    Reference:
        Wang, Simoncelli, Bovik 2003, Multiscale structural similarity for image quality assessment, Asilomar
        Conference on Signals, Systems and Computers (window 11, sigma 1.5, K1 = .01, K2 = .03).
    """
    if np.ndim(first) != 4 or np.shape(first) != np.shape(second):
        raise ValueError(
            f"Expected two sets of as many images [num, height, width, channels]; "
            f"received {np.shape(first)} and {np.shape(second)}"
        )
    weights = np.array(WEIGHTS[: scales_of(*np.shape(first)[1:3])])
    weights /= weights.sum()
    values = []
    for start in range(0, len(first), CHUNK):
        pair = [tf.constant(images[start : start + CHUNK], tf.float32) for images in (first, second)]
        values.append(tf.image.ssim_multiscale(*pair, 1.0, power_factors=tuple(weights), filter_size=WINDOW).numpy())
    return np.concatenate(values) if values else np.zeros(0, np.float32)


def pair_similarity(
    images: np.ndarray,
    *,
    pairs: int = 5000,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Similarity:
    """The mean MS-SSIM of random pairs of images of one set: the higher, the less diverse.

    It has a meaning only beside the value of as many real images: above it, diversity is lost (noise lowers it too, so
    a low value is not quality). No image is in two pairs, so the pairs are independent. The paper compares pairs
    within one class: give the images of one class for that.

    Args:
        images: float32 [num, height, width, channels] in [0, 1], num >= 4.
        pairs: at most; num // 2 is the most there are.
        seed: of the pairs.
        progress: called with (pairs done, all of them).

    Returns:
        A Similarity.

    Raises:
        ValueError: for fewer than 4 images, pairs < 2, or images below 11 pixels.

    Reference:
        Odena, Olah, Shlens 2017, Conditional image synthesis with auxiliary classifier GANs, arXiv:1610.09585,
        section 4.2.
    """
    if np.ndim(images) != 4 or len(images) < 4 or pairs < 2:
        raise ValueError(
            f"Expected 4 or more images [num, height, width, channels] and pairs >= 2; "
            f"received {np.shape(images)} and pairs={pairs}"
        )
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(len(images))
    pairs = min(pairs, len(images) // 2)
    parts = []
    for start in range(0, pairs, CHUNK):
        progress(start, pairs)
        end = min(start + CHUNK, pairs)
        parts.append(ms_ssim(images[order[start:end]], images[order[pairs + start : pairs + end]]))
    values = np.concatenate(parts).astype(np.float64)
    return Similarity(float(values.mean()), standard_error(values), scales_of(*images.shape[1:3]), pairs)
