"""Reconstruction losses: pure functions, one value per image."""

from collections.abc import Callable

import tensorflow as tf

from .same_shape import check_same_shape


def squared_error(images: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
    """Returns the squared error, summed over pixels and channels.

    Args:
        images: [batch, height, width, channels].
        reconstructions: images of the same shape.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: for other ranks or different shapes.
    """
    check_same_shape(images, reconstructions, "images", "reconstructions")
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
        ValueError: for other ranks or different shapes.
    """
    check_same_shape(images, logits, "images", "logits")
    terms = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(images, tf.float32), tf.cast(logits, tf.float32))
    return tf.reduce_sum(terms, axis=[1, 2, 3])


LOSSES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "mse": lambda images, logits: squared_error(images, tf.nn.sigmoid(logits)),
    "bernoulli": bernoulli_cross_entropy,
}


def get(name: str) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns a reconstruction loss by name: images in [0, 1] and a decoder's logits of the same shape -> [batch].

    Args:
        name: `"mse"`, the squared error of the sigmoid of the logits, or `"bernoulli"`, their cross-entropy.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in LOSSES:
        raise ValueError(f"Expected loss as one of {', '.join(LOSSES)}; received {name!r}")
    return LOSSES[name]
