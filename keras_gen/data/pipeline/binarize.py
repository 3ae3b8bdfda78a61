"""Binarization of gray images."""

import math
from collections.abc import Callable

import tensorflow as tf

from ..choices import check_binarization
from .counter_rng import uniform


def binarize(image: tf.Tensor, method: str | None, keys: Callable[[str], tf.Tensor]) -> tf.Tensor:
    """Converts every pixel to 0 or 1.

    "dynamic" samples each pixel in every epoch from a Bernoulli distribution whose probability is the gray value;
    "threshold" is 1 for gray values >= 0.5; None returns the image unchanged.

    Args:
        image: float32 [batch, h, w, c] in [0, 1].
        method: None, "dynamic" or "threshold".
        keys: Function from a purpose to uint64 [batch]; used by "dynamic".

    Returns:
        float32 [batch, h, w, c].

    Raises:
        ValueError: For an unknown method.

    Example:
        >>> binarize(tf.constant([[[[0.7]]]]), "threshold", lambda purpose: tf.zeros([1], tf.uint64)).numpy().item()
        1.0

    Reference:
        Burda, Grosse, Salakhutdinov, "Importance Weighted Autoencoders", 2015, arXiv:1509.00519, section 5.1 (dynamic).
    """
    if check_binarization(method) is None:
        return image
    if method == "threshold":
        return tf.cast(image >= 0.5, tf.float32)
    numbers = tf.reshape(uniform(keys("binarize"), math.prod(image.shape[1:])), tf.shape(image))
    return tf.ensure_shape(tf.cast(numbers < image, tf.float32), image.shape)
