"""Augmentations by name; what happens to an image depends on its key alone."""

from collections.abc import Callable, Iterable

import tensorflow as tf

from ..choices import AUGMENTATIONS, check_augmentations
from .counter_rng import uniform


def augment(image: tf.Tensor, names: Iterable[str], keys: Callable[[str], tf.Tensor]) -> tf.Tensor:
    """Apply augmentations in the order of their names.

    Args:
        image: float32 [batch, h, w, c] in [0, 1].
        names: any of `AUGMENTATIONS`.
        keys: purpose -> uint64 [batch]; equal keys give equal changes.

    Returns:
        float32 [batch, h, w, c] in [0, 1].

    Raises:
        ValueError: an unknown name.

    Example:
        >>> augment(image, ("flip", "crop"), lambda purpose: mix(seed_word(0, purpose), index))
    """
    for name in check_augmentations(names):
        shape = image.shape
        image = tf.ensure_shape(_BY_NAME[name](image, keys(name)), shape)
    return image


def flip(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Mirror left and right with probability 1/2."""
    chosen = uniform(keys, 1)[:, 0] < 0.5
    return tf.where(chosen[:, None, None, None], image[:, :, ::-1], image)


def crop(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Cut a window of 80 to 100 % of the height and of the width, at a random place, and resize it back (bilinear).

    One factor for both sides: the aspect ratio stays.
    """
    draws = uniform(keys, 3)
    side = 0.8 + 0.2 * draws[:, 0]
    top, left = draws[:, 1] * (1 - side), draws[:, 2] * (1 - side)
    # crop_and_resize measures between the centers of the first and the last pixel: [0, 1] is the whole image.
    boxes = tf.stack([top, left, top + side, left + side], axis=-1)
    return tf.image.crop_and_resize(image, boxes, tf.range(tf.shape(image)[0]), image.shape[1:3])


def shift(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Move by up to an eighth of the size each way, in whole pixels; the edge is repeated."""
    height, width = image.shape[1:3]
    draws = uniform(keys, 2)
    reach = (height // 8, width // 8)
    move = [tf.cast(tf.floor(draws[:, a] * (2 * reach[a] + 1)), tf.int32) - reach[a] for a in (0, 1)]
    rows = tf.clip_by_value(tf.range(height)[None] - move[0][:, None], 0, height - 1)
    columns = tf.clip_by_value(tf.range(width)[None] - move[1][:, None], 0, width - 1)
    image = tf.gather(image, rows, axis=1, batch_dims=1)
    return tf.gather(image, columns, axis=2, batch_dims=1)


def color(image: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Change brightness by up to 0.1, contrast and (of color images) saturation by up to 20 %; alpha stays."""
    draws = 2 * uniform(keys, 3)[:, :, None, None, None] - 1
    alpha = image[..., 3:]
    image = image[..., :3]
    mean = tf.reduce_mean(image, axis=[1, 2, 3], keepdims=True)
    image = (image - mean) * (1 + 0.2 * draws[:, 1]) + mean + 0.1 * draws[:, 0]
    if image.shape[-1] == 3:
        gray = tf.reduce_sum(image * tf.constant([0.299, 0.587, 0.114]), axis=-1, keepdims=True)
        image = gray + (image - gray) * (1 + 0.2 * draws[:, 2])
    return tf.concat([tf.clip_by_value(image, 0.0, 1.0), alpha], axis=-1)


_BY_NAME = dict(zip(AUGMENTATIONS, (flip, crop, shift, color), strict=True))
