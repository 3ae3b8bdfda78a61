"""MS-SSIM, and its mean over pairs of images of one set as a measure of diversity."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches

from ..seeding import seeded_permutation
from ..types import Progress, no_progress
from .standard_error import sample_standard_error

# weights of the scales from fine to coarse, Wang et al. 2003
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW = 11
PAIRS_PER_PASS = 256


class PairSimilarity(NamedTuple):
    """The mean MS-SSIM of pairs.

    Attributes:
        value: mean MS-SSIM, 0 to 1.
        error: standard error of the value.
        scales: number of scales, 1 to 5.
        pairs: number of pairs.
    """

    value: float
    error: float
    scales: int
    pairs: int


def scales_of(height: int, width: int) -> int:
    """Returns how many of the five scales fit an 11-pixel window: 1 from 11 pixels, 2 from 21, 3 from 41, 5 from 161.

    Raises:
        ValueError: for images below 11 pixels.
    """
    size, scales = min(height, width), 0
    if size < WINDOW:
        raise ValueError(f"Expected images of {WINDOW} pixels or more; received {height}x{width}")
    while size >= WINDOW and scales < len(WEIGHTS):
        size, scales = math.ceil(size / 2), scales + 1
    return scales


def ms_ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the multi-scale structural similarity of pairs, over all of the five scales that fit an 11-pixel window.

    Each scale halves the previous one, and an odd size is rounded up: the last row or column is averaged with itself,
    as in the authors' program. The weights of the used scales are divided by their sum. Values with different numbers
    of scales are different metrics. A negative structure term counts as 0.

    Args:
        first: float32 [num, height, width, channels] in [0, 1].
        second: the same shape.

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
            "Expected two sets of as many images [num, height, width, channels]; "
            f"received {np.shape(first)} and {np.shape(second)}"
        )
    height, width = np.shape(first)[1:3]
    weights = np.array(WEIGHTS[: scales_of(height, width)])
    weights /= weights.sum()

    def similarity(rows: slice) -> tf.Tensor:
        pair = [tf.constant(images[rows], tf.float32) for images in (first, second)]
        return tf.image.ssim_multiscale(*pair, 1.0, power_factors=tuple(weights), filter_size=WINDOW)

    return map_batches(similarity, len(first), PAIRS_PER_PASS) if len(first) else np.zeros(0, np.float32)


def pair_similarity(
    images: np.ndarray,
    *,
    pairs: int = 5000,
    seed: int = 0,
    progress: Progress = no_progress,
) -> PairSimilarity:
    """Returns the mean MS-SSIM of random pairs of images of one set: the higher, the less diverse.

    Compare it with the value of as many real images: a higher value means a loss of diversity (noise lowers it, so a
    low value does not imply quality). No image is in two pairs, so the pairs are independent. The paper compares pairs
    within one class; pass the images of one class for that.

    Args:
        images: float32 [num, height, width, channels] in [0, 1], num >= 4.
        pairs: maximum number of pairs, >= 2; num // 2 of them exist.
        seed: seed of the pairs.
        progress: called with (pairs done, total).

    Returns:
        a PairSimilarity.

    Raises:
        ValueError: for fewer than 4 images, pairs < 2, or images below 11 pixels.

    Reference:
        Odena, Olah, Shlens 2017, Conditional image synthesis with auxiliary classifier GANs, arXiv:1610.09585,
        section 4.2.
    """
    if np.ndim(images) != 4 or len(images) < 4 or pairs < 2:
        raise ValueError(
            "Expected 4 or more images [num, height, width, channels] and pairs >= 2; "
            f"received {np.shape(images)} and pairs={pairs}"
        )
    order, pairs = seeded_permutation(len(images), seed), min(pairs, len(images) // 2)
    first, second = order[:pairs], order[pairs : 2 * pairs]
    values = map_batches(
        lambda rows: ms_ssim(images[first[rows]], images[second[rows]]), pairs, PAIRS_PER_PASS, progress
    ).astype(np.float64)
    height, width = images.shape[1:3]
    return PairSimilarity(float(values.mean()), sample_standard_error(values), scales_of(height, width), pairs)
