"""Losses of masks, and of what lies inside them."""

import tensorflow as tf


def mask_cross_entropy(mask: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy between a mask and predicted log-odds, mean over pixels.

    Args:
        mask: [batch, height, width, 1] in [0, 1].
        logits: log-odds of the same shape, unbounded.

    Returns:
        float32 [batch], nats per pixel, >= 0.

    Raises:
        ValueError: for shapes that differ.
    """
    mask, logits = _checked(mask, logits, "mask", "logits")
    losses = tf.nn.sigmoid_cross_entropy_with_logits(mask, logits)
    return tf.reduce_mean(losses, axis=[1, 2, 3])


def masked_error(images: tf.Tensor, made: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference inside a mask: sum m |x - y| / (channels * sum m).

    Args:
        images, made: [batch, height, width, channels] in [0, 1].
        mask: weights of pixels, [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [0, 1]; 0 for an empty mask.

    Raises:
        ValueError: for shapes that differ.
    """
    images, made = _checked(images, made, "images", "made")
    total = tf.reduce_sum(mask * tf.abs(images - made), axis=[1, 2, 3])
    return total / tf.maximum(images.shape[-1] * tf.reduce_sum(mask, axis=[1, 2, 3]), 1.0)


def intersection_over_union(mask: tf.Tensor, probabilities: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    """Intersection over union of two masks, both taken at a threshold.

    Args:
        mask, probabilities: [batch, height, width, 1] in [0, 1].
        threshold: a pixel belongs to a mask from this value on.

    Returns:
        float32 [batch] in [0, 1], without a gradient; 1 where both are empty.

    Raises:
        ValueError: for shapes that differ.
    """
    mask, probabilities = _checked(mask, probabilities, "mask", "probabilities")
    ours, theirs = (tf.cast(each >= threshold, tf.float32) for each in (mask, probabilities))
    both = tf.reduce_sum(ours * theirs, axis=[1, 2, 3])
    either = tf.reduce_sum(tf.maximum(ours, theirs), axis=[1, 2, 3])
    return tf.where(either > 0, both / tf.maximum(either, 1.0), 1.0)


def _checked(first, second, one: str, other: str) -> tuple[tf.Tensor, tf.Tensor]:
    first, second = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    if first.shape.rank != 4 or not first.shape.is_compatible_with(second.shape):
        raise ValueError(
            f"Expected {one} and {other} of one shape [batch, height, width, channels]; received {first.shape} and "
            f"{second.shape}"
        )
    return first, second
