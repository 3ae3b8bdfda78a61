"""Losses of image-to-image translation that compare an image with its translation."""

from collections.abc import Callable

import tensorflow as tf

from .same_shape import check_same_shape


def absolute_error(images: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Returns the mean absolute error over pixels and channels: the cycle and the identity loss.

    On images in [0, 1] it is half of its value on images in [-1, 1], the range of the papers' code.

    Args:
        images: [batch, height, width, channels].
        others: images of the same shape.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: for other ranks or different shapes.

    Reference:
        Zhu et al. 2017, arXiv:1703.10593, eq. 2 (cycle consistency, the L1 norm) and section 5.2 (identity).
    """
    check_same_shape(images, others, "images", "others")
    difference = tf.cast(images, tf.float32) - tf.cast(others, tf.float32)
    return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])


def semantic_consistency(source_logits: tf.Tensor, translated_logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy, in nats, of a classifier on translations to its prediction on the source images.

    Args:
        source_logits: logits of the source images [batch, classes]; the largest is the class. They get no gradient.
        translated_logits: logits of the translated images [batch, classes].

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: for other ranks or different shapes.

    Reference:
        Hoffman et al. 2017, CyCADA: Cycle-Consistent Adversarial Domain Adaptation, arXiv:1711.03213, eq. 4.
    """
    if source_logits.shape.rank != 2 or not source_logits.shape.is_compatible_with(translated_logits.shape):
        raise ValueError(
            "Expected two sets of logits [batch, classes] of one shape; received "
            f"{source_logits.shape} and {translated_logits.shape}"
        )
    labels = tf.argmax(source_logits, axis=1, output_type=tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(translated_logits, tf.float32))


def over_patches(function: Callable[..., tf.Tensor], *maps: tf.Tensor) -> tf.Tensor:
    """Returns the mean over each image's patches of a loss that is applied to every logit of a map.

    Args:
        function: logits [num], one vector for each map -> losses [num].
        *maps: logits [batch, rows, columns, 1] or [batch, 1], all of one shape.

    Returns:
        float32 [batch].
    """
    batch = tf.shape(maps[0])[0]
    losses = function(*(tf.reshape(tf.cast(each, tf.float32), [-1]) for each in maps))
    return tf.reduce_mean(tf.reshape(losses, [batch, -1]), axis=1)
