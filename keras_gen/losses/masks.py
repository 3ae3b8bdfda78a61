"""Losses of masks, and of the pixels inside a mask."""

import tensorflow as tf

from .same_shape import check_same_shape


def mask_cross_entropy(mask: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy between a mask and predicted log-odds, mean over pixels.

    Args:
        mask: [batch, height, width, 1] in [0, 1].
        logits: log-odds of the same shape, unbounded.

    Returns:
        float32 [batch], nats per pixel, >= 0.

    Raises:
        ValueError: for shapes that differ.
    """
    mask, logits = _same_shape(mask, logits, "mask", "logits")
    losses = tf.nn.sigmoid_cross_entropy_with_logits(mask, logits)
    return tf.reduce_mean(losses, axis=[1, 2, 3])


def masked_error(images: tf.Tensor, outputs: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the mean absolute error inside a mask: sum m |x - y| / (channels * sum m).

    Args:
        images: [batch, height, width, channels] in [0, 1].
        outputs: images of the same shape and range.
        mask: weights of pixels, [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [0, 1]; 0 for an empty mask.

    Raises:
        ValueError: for shapes that differ.
    """
    images, outputs = _same_shape(images, outputs, "images", "outputs")
    total = tf.reduce_sum(mask * tf.abs(images - outputs), axis=[1, 2, 3])
    return total / tf.maximum(images.shape[-1] * tf.reduce_sum(mask, axis=[1, 2, 3]), 1.0)


def intersection_over_union(mask: tf.Tensor, probabilities: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    """Returns the intersection over union of two masks, both binarized at a threshold.

    Args:
        mask: [batch, height, width, 1] in [0, 1].
        probabilities: predicted mask of the same shape and range.
        threshold: smallest value of a pixel that belongs to a mask.

    Returns:
        float32 [batch] in [0, 1], without a gradient; 1 where both masks are empty.

    Raises:
        ValueError: for shapes that differ.
    """
    mask, probabilities = _same_shape(mask, probabilities, "mask", "probabilities")
    target, predicted = (tf.cast(each >= threshold, tf.float32) for each in (mask, probabilities))
    intersection = tf.reduce_sum(target * predicted, axis=[1, 2, 3])
    union = tf.reduce_sum(tf.maximum(target, predicted), axis=[1, 2, 3])
    return tf.where(union > 0, intersection / tf.maximum(union, 1.0), 1.0)


def _same_shape(first: tf.Tensor, second: tf.Tensor, first_name: str, second_name: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns two tensors as float32, after a check that they have one shape."""
    first, second = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    check_same_shape(first, second, first_name, second_name)
    return first, second
