"""Levels of 8-bit images as continuous values: what makes a density a likelihood of them."""

import math

import tensorflow as tf

LEVELS = 256


def dequantize(images: tf.Tensor, seed: int, part: int | tf.Tensor = 0) -> tf.Tensor:
    """Images of levels k = 0..255 as continuous ones, x' = (k + u) / 256 with u uniform on [0, 1).

    A density p gives each image of levels the probability P(k) = integral of p over its cell of side 1/256, and with
    D = height * width * channels, by Jensen's inequality,

        -log P(k) <= -E_u[log p(x')] + D log 256.

    Args:
        images: float32 [num, height, width, channels], values k / 255.
        seed: of u, 0 <= seed < 2**31.
        part: which batch of the data this is: each has its own u.

    Returns:
        x', float32 [num, height, width, channels] in [0, 1].

    Reference:
        Theis, van den Oord, Bethge 2015, A note on the evaluation of generative models, arXiv:1511.01844, section 3.1.
    """
    levels = tf.round(tf.cast(images, tf.float32) * (LEVELS - 1))
    noise = tf.random.stateless_uniform(tf.shape(images), tf.cast([seed, part], tf.int32))
    return (levels + noise) / LEVELS


def cell_nats(image_shape: tuple[int, int, int]) -> float:
    """D log 256: what is added to -log p(x') of an image for a bound of -log P(k)."""
    return math.prod(image_shape) * math.log(LEVELS)
