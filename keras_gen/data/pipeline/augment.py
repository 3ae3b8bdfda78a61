"""Augmentations, which depend on the key of an image alone, not on its batch."""

from collections.abc import Callable, Iterable

import tensorflow as tf

from ..choices import AUGMENTATIONS, check_augmentations
from .counter_rng import uniform


def augment(image: tf.Tensor, names: Iterable[str], keys: Callable[[str], tf.Tensor]) -> tf.Tensor:
    """Applies augmentations in the order of their names.

    Args:
        image: float32 [batch, h, w, c] in [0, 1].
        names: Names among `AUGMENTATIONS`.
        keys: Function from a purpose to uint64 [batch]; equal keys result in equal augmentations.

    Returns:
        float32 [batch, h, w, c] in [0, 1].

    Raises:
        ValueError: For an unknown name.

    Example:
        >>> from keras_gen.data.pipeline.counter_rng import mix, seed_word
        >>> image = tf.zeros([2, 8, 8, 3])
        >>> augment(image, ("flip", "crop"), lambda purpose: mix(seed_word(0, purpose), tf.range(2))).shape
        TensorShape([2, 8, 8, 3])
    """
    for name in check_augmentations(names):
        shape = image.shape
        image = tf.ensure_shape(_BY_NAME[name](image, keys(name)), shape)
    return image


def flip(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Flips images horizontally with probability 1/2; arguments are those of `augment`."""
    flipped = uniform(keys, 1)[:, 0] < 0.5
    return tf.where(flipped[:, None, None, None], image[:, :, ::-1], image)


def crop(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Crops a random window of 80 to 100 % of the height and width, and resizes it to the original size (bilinear).

    Height and width have the same factor, which keeps the aspect ratio.
    """
    numbers = uniform(keys, 3)
    side = 0.8 + 0.2 * numbers[:, 0]
    top, left = numbers[:, 1] * (1 - side), numbers[:, 2] * (1 - side)
    # crop_and_resize measures between the centers of the first and the last pixel: [0, 1] is the whole image.
    boxes = tf.stack([top, left, top + side, left + side], axis=-1)
    return tf.image.crop_and_resize(image, boxes, tf.range(tf.shape(image)[0]), image.shape[1:3])


def shift(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Translates by up to an eighth of the height and width, in whole pixels; edge pixels are repeated."""
    height, width = image.shape[1:3]
    numbers = uniform(keys, 2)
    limit = (height // 8, width // 8)
    offset = [tf.cast(tf.floor(numbers[:, a] * (2 * limit[a] + 1)), tf.int32) - limit[a] for a in (0, 1)]
    rows = tf.clip_by_value(tf.range(height)[None] - offset[0][:, None], 0, height - 1)
    columns = tf.clip_by_value(tf.range(width)[None] - offset[1][:, None], 0, width - 1)
    image = tf.gather(image, rows, axis=1, batch_dims=1)
    return tf.gather(image, columns, axis=2, batch_dims=1)


def color(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Changes brightness by up to 0.1, contrast and (of color images) saturation by up to 20 %, but not alpha."""
    numbers = 2 * uniform(keys, 3)[:, :, None, None, None] - 1
    alpha = image[..., 3:]
    image = image[..., :3]
    mean = tf.reduce_mean(image, axis=[1, 2, 3], keepdims=True)
    image = (image - mean) * (1 + 0.2 * numbers[:, 1]) + mean + 0.1 * numbers[:, 0]
    if image.shape[-1] == 3:
        gray = tf.reduce_sum(image * tf.constant([0.299, 0.587, 0.114]), axis=-1, keepdims=True)
        image = gray + (image - gray) * (1 + 0.2 * numbers[:, 2])
    return tf.concat([tf.clip_by_value(image, 0.0, 1.0), alpha], axis=-1)


_BY_NAME = dict(zip(AUGMENTATIONS, (flip, crop, shift, color), strict=True))
