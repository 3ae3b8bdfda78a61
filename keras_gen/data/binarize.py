"""Gray values to black and white."""

from collections.abc import Callable

import tensorflow as tf

from .choices import check_binarization
from .noise import uniform


def binarize(image: tf.Tensor, how: str | None, keys: Callable[[str], tf.Tensor]) -> tf.Tensor:
    """Make every pixel 0 or 1.

    "dynamic" draws each pixel anew in every epoch, 1 with the gray value as its probability; "threshold" is 1 from 0.5
    on; None leaves the image as it is.

    Args:
        image: float32 [batch, h, w, c] in [0, 1].
        how: None, "dynamic" or "threshold".
        keys: purpose -> uint64 [batch].

    Returns:
        float32 [batch, h, w, c].

    Raises:
        ValueError: an unknown way.

    Example:
        >>> binarize(tf.constant([[[[0.7]]]]), "threshold", None).numpy().item()
        1.0

    Reference:
        Burda, Grosse, Salakhutdinov, "Importance Weighted Autoencoders", 2015, arXiv:1509.00519, section 5.1 (dynamic).
    """
    if check_binarization(how) is None:
        return image
    if how == "threshold":
        return tf.cast(image >= 0.5, tf.float32)
    size = 1
    for n in image.shape[1:]:
        size *= n
    draws = tf.reshape(uniform(keys("binarize"), size), tf.shape(image))
    return tf.ensure_shape(tf.cast(draws < image, tf.float32), image.shape)
