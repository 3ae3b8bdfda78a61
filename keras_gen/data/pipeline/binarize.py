"""Gray values to black and white."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ..choices import check_binarization
from ..info import Table
from .counter_rng import uniform

# `noise_share` of what "auto" binarizes, at most. Digits have .16 (MNIST at 28x28) to .22 (USPS, MNIST at 64x64), and
# gray photographs .4 (objects on a plain ground) to .8 (faces): there, what is learned would mostly be noise
MOST_NOISE = 0.3
_SAMPLE = 256


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


def noise_share(images: np.ndarray) -> float:
    """The share of noise in the variance of dynamically binarized pixels.

    A pixel of value x becomes 1 with probability x, so its noise has the variance x (1 - x), of which black and white
    pixels have none. All pixels together have the variance m (1 - m), with their mean m.

    Args:
        images: float in [0, 1], of any shape.

    Returns:
        From 0 (black and white) to 1 (all pixels alike).

    Example:
        >>> noise_share(np.array([0.0, 0.0, 0.5, 1.0]))
        0.2666666666666667
    """
    mean = float(images.mean())
    whole = mean * (1 - mean)
    return float((images * (1 - images)).mean()) / whole if whole > 0 else 0.0


def choose_binarization(table: Table) -> tuple[str | None, str]:
    """Choose "dynamic" for images that are nearly binary, else None, by a fixed random sample of them.

    Returns:
        The way, and the reason in words.
    """
    share = noise_share(_sample(table))
    how = "dynamic" if share <= MOST_NOISE else None
    done = "binarized (dynamic)" if how else "not binarized"
    return how, (
        f"gray values are {done}: noise would be {share:.0%} of the variance of binarized pixels, and up to "
        f"{MOST_NOISE:.0%} counts as nearly black and white. --binarize dynamic or none decides otherwise."
    )


def _sample(table: Table) -> np.ndarray:
    """Pixels in [0, 1] of up to 256 images."""
    if table.stream is not None:
        records = table.stream(tf.constant([0, 0], tf.int64)).take(_SAMPLE)
        pixels = np.stack([row.numpy() for row in records.map(lambda _, record: table.stream.decode(record)["image"])])
    else:
        images = next(iter(table.images.values()))
        count = min(_SAMPLE, images.count)
        rows = np.sort(np.random.Generator(np.random.Philox(key=0)).permutation(images.count)[:count])
        pixels = images.array[rows] if images.array is not None else np.stack([images.read(int(row)) for row in rows])
    return pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels
