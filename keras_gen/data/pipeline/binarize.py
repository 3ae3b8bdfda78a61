"""Binarization of gray images."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ..choices import check_binarization
from ..info import Table
from .counter_rng import uniform

# maximum `noise_share` of images that "auto" binarizes. Digits have .16 (MNIST at 28x28) to .22 (USPS, MNIST at 64x64),
# gray photographs .4 (objects on a plain background) to .8 (faces), of which a model would mostly learn noise
MAX_NOISE_SHARE = 0.3
_SAMPLE = 256


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


def noise_share(images: np.ndarray) -> float:
    """Returns the share of noise in the variance of dynamically binarized pixels.

    A pixel of value x becomes 1 with probability x, so its noise has the variance x (1 - x), which is 0 for black and
    white pixels. All pixels together have the variance m (1 - m), where m is their mean.

    Args:
        images: Float in [0, 1], of any shape.

    Returns:
        From 0 (all pixels are black or white) to 1 (all pixels are equal).

    Example:
        >>> round(noise_share(np.array([0.0, 0.0, 0.5, 1.0])), 4)
        0.2667
    """
    mean = float(images.mean())
    total = mean * (1 - mean)
    return float((images * (1 - images)).mean()) / total if total > 0 else 0.0


def choose_binarization(table: Table) -> tuple[str | None, str]:
    """Selects "dynamic" for images that are nearly binary, otherwise None, based on a fixed random sample.

    Args:
        table: The table.

    Returns:
        The method, and a note with the reason.
    """
    share = noise_share(_sample(table))
    method = "dynamic" if share <= MAX_NOISE_SHARE else None
    result = "binarized (dynamic)" if method else "not binarized"
    return method, (
        f"gray values are {result}: noise would be {share:.0%} of the variance of binarized pixels, and up to "
        f"{MAX_NOISE_SHARE:.0%} counts as nearly black and white. --binarize dynamic or none overrides this."
    )


def _sample(table: Table) -> np.ndarray:
    """Returns the pixels in [0, 1] of up to 256 images."""
    stream = table.stream
    if stream is not None:
        records = stream(tf.constant([0, 0], tf.int64)).take(_SAMPLE)
        pixels = np.stack([row.numpy() for row in records.map(lambda _, record: stream.decode(record)["image"])])
    else:
        images = next(iter(table.images.values()))
        count = min(_SAMPLE, images.count)
        rows = np.sort(np.random.Generator(np.random.Philox(key=0)).permutation(images.count)[:count])
        pixels = images.gather(rows)
    return pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels
