"""Classification of attributes in groups: pure functions, one value per example.

A vector of n attributes consists of groups: a group of k >= 2 entries is a one-hot vector of exclusive classes, a group
of 1 is a binary attribute (0 or 1).
"""

from collections.abc import Sequence

import tensorflow as tf


def group_cross_entropy(
    logits: tf.Tensor, attributes: tf.Tensor, groups: Sequence[int], known: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns the cross-entropy in nats, summed over the groups: softmax for classes, sigmoid for binary attributes.

    Args:
        logits: [batch, n].
        attributes: true attributes, [batch, n] in [0, 1].
        groups: sizes of the groups, each >= 1; their sum is n.
        known: 1 for the groups that count and 0 for the others, [batch, groups]; None counts all.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: for shapes that do not match.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, eq. 2 and 3.
    """
    losses = [
        tf.nn.softmax_cross_entropy_with_logits(labels, group_logits)
        if size > 1
        else tf.nn.sigmoid_cross_entropy_with_logits(labels, group_logits)[:, 0]
        for size, group_logits, labels in _split(logits, attributes, groups)
    ]
    return tf.reduce_sum(_mask_unknown(losses, known), axis=1)


def group_accuracy(
    logits: tf.Tensor, attributes: tf.Tensor, groups: Sequence[int], known: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns the fraction of groups that are classified correctly.

    The prediction is the class with the largest logit; a binary attribute is predicted for a logit above 0.

    Args:
        logits: as in `group_cross_entropy`.
        attributes: as in `group_cross_entropy`.
        groups: as in `group_cross_entropy`.
        known: as in `group_cross_entropy`.

    Returns:
        float32 [batch] in [0, 1]: the fraction of the known groups, 1 if no group is known.
    """
    correct = [
        tf.argmax(group_logits, 1) == tf.argmax(labels, 1)
        if size > 1
        else (group_logits > 0)[:, 0] == (labels > 0.5)[:, 0]
        for size, group_logits, labels in _split(logits, attributes, groups)
    ]
    errors = [1.0 - tf.cast(each, tf.float32) for each in correct]
    counted = tf.ones_like(tf.stack(errors, 1)) if known is None else tf.cast(known, tf.float32)
    num_errors = tf.reduce_sum(_mask_unknown(errors, known), axis=1)
    return 1.0 - num_errors / tf.maximum(tf.reduce_sum(counted, axis=1), 1.0)


def _split(logits: tf.Tensor, attributes: tf.Tensor, groups: Sequence[int]) -> zip:
    """Returns (size, logits [batch, size], attributes [batch, size]) of every group."""
    logits, attributes = tf.cast(logits, tf.float32), tf.cast(attributes, tf.float32)
    shape = [None, sum(groups)]
    if not (logits.shape.is_compatible_with(shape) and attributes.shape.is_compatible_with(shape)):
        raise ValueError(
            f"Expected logits and attributes [batch, {sum(groups)}] for the groups {tuple(groups)}; received "
            f"{logits.shape} and {attributes.shape}"
        )
    sizes = list(groups)
    return zip(sizes, tf.split(logits, sizes, axis=1), tf.split(attributes, sizes, axis=1), strict=True)


def _mask_unknown(values: list[tf.Tensor], known: tf.Tensor | None) -> tf.Tensor:
    """Returns the values of all groups, [batch, groups], 0 for unknown groups."""
    stacked = tf.stack(values, axis=1)
    if known is None:
        return stacked
    if not tf.TensorShape(known.shape).is_compatible_with(stacked.shape):
        raise ValueError(
            f"Expected known [batch, {stacked.shape[1]}], one value for each group; received {known.shape}"
        )
    return stacked * tf.cast(known, tf.float32)
