"""What a translator owes to the image it started from."""

import tensorflow as tf


def absolute_error(images: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference over pixels and channels: the cycle and the identity loss.

    On images in [0, 1] it is half of what it is on images in [-1, 1], the range of the papers' code.

    Args:
        images, others: [batch, height, width, channels], same shape.

    Returns:
        float32 [batch], >= 0.

    Reference:
        Zhu et al. 2017, arXiv:1703.10593, eq. 2 (cycle consistency, the L1 norm) and section 5.2 (identity).
    """
    if images.shape.rank != 4 or not images.shape.is_compatible_with(others.shape):
        raise ValueError(
            f"Expected two tensors [batch, height, width, channels] of one shape; received {images.shape} and "
            f"{others.shape}"
        )
    difference = tf.cast(images, tf.float32) - tf.cast(others, tf.float32)
    return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])


def semantic_consistency(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Cross-entropy, in nats, of a classifier's logits after a translation to its own decision before it.

    Args:
        before: logits of the images [batch, classes]; their largest is the class, and no gradient reaches them.
        after: logits of the translated images [batch, classes].

    Returns:
        float32 [batch], >= 0.

    Reference:
        Hoffman et al. 2017, CyCADA: Cycle-Consistent Adversarial Domain Adaptation, arXiv:1711.03213, eq. 4.
    """
    if before.shape.rank != 2 or not before.shape.is_compatible_with(after.shape):
        raise ValueError(f"Expected two sets of logits [batch, classes]; received {before.shape} and {after.shape}")
    label = tf.argmax(before, axis=1, output_type=tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(label, tf.cast(after, tf.float32))


def over_patches(function, *maps: tf.Tensor) -> tf.Tensor:
    """A loss of logits [num] on maps of logits: its mean over each image's patches.

    Args:
        function: logits [num], one set for each map -> losses [num].
        *maps: [batch, rows, columns, 1] or [batch, 1], of one shape.

    Returns:
        float32 [batch].
    """
    rows = tf.shape(maps[0])[0]
    losses = function(*(tf.reshape(tf.cast(each, tf.float32), [-1]) for each in maps))
    return tf.reduce_mean(tf.reshape(losses, [rows, -1]), axis=1)
