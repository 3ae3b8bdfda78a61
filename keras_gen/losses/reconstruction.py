"""Reconstruction losses: pure functions, one value per image."""

import tensorflow as tf


def squared_error(images: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
    """Returns the squared error, summed over pixels and channels.

    Args:
        images: [batch, height, width, channels].
        reconstructions: images of the same shape.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: For other ranks or different shapes.
    """
    _check_shapes(images, reconstructions)
    difference = tf.cast(images, tf.float32) - tf.cast(reconstructions, tf.float32)
    return tf.reduce_sum(tf.square(difference), axis=[1, 2, 3])


def bernoulli_cross_entropy(images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns -log p of images under independent Bernoulli pixels, summed over pixels and channels, in nats.

    Args:
        images: [batch, height, width, channels] in [0, 1]; the result is a likelihood if they are binary.
        logits: logits of the same shape, unbounded.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: For other ranks or different shapes.
    """
    _check_shapes(images, logits)
    terms = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(images, tf.float32), tf.cast(logits, tf.float32))
    return tf.reduce_sum(terms, axis=[1, 2, 3])


def _check_shapes(first: tf.Tensor, second: tf.Tensor) -> None:
    shape = tf.TensorShape(first.shape)  # accepts tensors and arrays
    if shape.rank != 4 or not shape.is_compatible_with(second.shape):
        raise ValueError(
            f"Expected two tensors [batch, height, width, channels] of one shape; received {first.shape} and "
            f"{second.shape}"
        )
