"""Crops of images at given places."""

from collections.abc import Sequence

import tensorflow as tf


def cropped(images: tf.Tensor, size: Sequence[int], places: tf.Tensor | None = None) -> tf.Tensor:
    """Crops [batch, *size, channels] of images [batch, height, width, channels].

    Args:
        images: at least as large as the crops.
        size: (height, width) of the crops.
        places: uniform noise on [0, 1), [batch, 2]: how far down and right each crop lies, from one end of what is
            possible to the other, all places as likely; None takes the middle of every image.

    Returns:
        Of the images' dtype.
    """
    for axis, side in enumerate(size, start=1):
        room = tf.shape(images)[axis] - side
        if places is None:
            start = tf.fill([tf.shape(images)[0]], room // 2)
        else:
            start = tf.cast(places[:, axis - 1] * tf.cast(room + 1, tf.float32), tf.int32)
            start = tf.minimum(start, room)  # a product of float32 may round up
        images = tf.gather(images, start[:, None] + tf.range(side), axis=axis, batch_dims=1)
    return tf.ensure_shape(images, [None, *size, None])
