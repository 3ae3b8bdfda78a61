"""Crops of images at random offsets."""

from collections.abc import Sequence

import tensorflow as tf


def crop_images(images: tf.Tensor, size: Sequence[int], offsets: tf.Tensor | None = None) -> tf.Tensor:
    """Returns crops [batch, *size, channels] of images [batch, height, width, channels], of the same dtype.

    Args:
        images: images at least as large as the crops.
        size: (height, width) of the crops.
        offsets: uniform noise in [0, 1), [batch, 2], for the vertical and the horizontal position: all positions are
            equally likely. None crops the center of every image.

    Example:
        >>> crop_images(tf.reshape(tf.range(16), [1, 4, 4, 1]), (2, 2))[0, :, :, 0].numpy()
        array([[ 5,  6],
               [ 9, 10]], dtype=int32)
    """
    for axis, side in enumerate(size, start=1):
        largest = tf.shape(images)[axis] - side
        if offsets is None:
            start = tf.fill([tf.shape(images)[0]], largest // 2)
        else:
            start = tf.cast(offsets[:, axis - 1] * tf.cast(largest + 1, tf.float32), tf.int32)
            start = tf.minimum(start, largest)  # a product of float32 may round up
        images = tf.gather(images, start[:, None] + tf.range(side), axis=axis, batch_dims=1)
    return tf.ensure_shape(images, [None, *size, None])
