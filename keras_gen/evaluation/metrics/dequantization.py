"""8-bit images as continuous values, and which likelihoods images of a kind can have."""

import math

import numpy as np
import tensorflow as tf

BINARY, EIGHT_BIT, CONTINUOUS = "binary", "8-bit", "continuous"
LEVELS = 256

# k / 255 in float32 has an error of 255 * 6e-8 at most
TOLERANCE = 1e-3


def pixel_support(images: np.ndarray) -> str:
    """Returns the set of values that images take.

    Args:
        images: float32, any shape, in [0, 1].

    Returns:
        `"binary"` (all 0 or 1), `"8-bit"` (all k / 255 with k = 0..255) or `"continuous"`.
    """
    levels = np.asarray(images, np.float32) * 255.0
    if np.abs(levels - np.rint(levels)).max() > TOLERANCE:
        return CONTINUOUS
    return BINARY if np.all((images == 0) | (images == 1)) else EIGHT_BIT


def likelihood_mismatch(support: str, images: np.ndarray) -> str | None:
    """Returns the reason why a decoder head is not a likelihood of images, or None if it is.

    Args:
        support: the head's, `"binary"`, `"8-bit"` or `"continuous"` (which needs dequantization of 8-bit images).
        images: float32, in [0, 1].
    """
    image_support = pixel_support(images)
    if support == BINARY:
        if image_support == BINARY:
            return None
        between = np.mean((images != 0) & (images != 1))
        return (
            f"a Bernoulli head is a likelihood of binary pixels, and {between:.1%} of the pixels are neither 0 nor 1; "
            "train with binarize='dynamic' or 'threshold', or with another head, such as the default of these pixels"
        )
    if image_support != CONTINUOUS:
        return None
    if support == EIGHT_BIT:
        return "a discretized head is a likelihood of 8-bit levels k / 255, and these images have values in between"
    return (
        "a continuous head is a density, which yields a probability (by uniform dequantization) only for 8-bit images "
        "k / 255, and these images have values in between"
    )


def dequantize(images: tf.Tensor | np.ndarray, seed: int, part: int | tf.Tensor = 0) -> tf.Tensor:
    """Adds uniform noise to the levels k = 0..255 of images: x' = (k + u) / 256 with u uniform on [0, 1).

    A density p assigns each 8-bit image the probability P(k) = integral of p over its cell of side 1/256. With
    D = height * width * channels, Jensen's inequality gives

        -log P(k) <= -E_u[log p(x')] + D log 256.

    Args:
        images: float32 [num, height, width, channels], values k / 255.
        seed: seed of u, 0 <= seed < 2**31.
        part: index of the batch in the data; each batch has different noise.

    Returns:
        x', float32 [num, height, width, channels] in [0, 1].

    Reference:
        Theis, van den Oord, Bethge 2015, A note on the evaluation of generative models, arXiv:1511.01844, section 3.1.
    """
    levels = tf.round(tf.cast(images, tf.float32) * (LEVELS - 1))
    noise = tf.random.stateless_uniform(tf.shape(images), tf.cast([seed, part], tf.int32))
    return (levels + noise) / LEVELS


def cell_nats(image_shape: tuple[int, ...]) -> float:
    """Returns D log 256, the difference in nats between -log p(x') and a bound on -log P(k) of one image."""
    return math.prod(image_shape) * math.log(LEVELS)
