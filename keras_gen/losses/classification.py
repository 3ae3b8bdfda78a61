"""Classification of attributes in groups: pure functions, one value per example.

A vector of n attributes is made of groups: a group of k >= 2 entries holds exclusive classes (one of them is 1), a
group of 1 an attribute of its own (0 or 1).
"""

from collections.abc import Sequence

import tensorflow as tf


def group_cross_entropy(
    logits: tf.Tensor, attributes: tf.Tensor, groups: Sequence[int], known: tf.Tensor | None = None
) -> tf.Tensor:
    """Cross-entropy in nats, summed over the groups: a softmax's for exclusive classes, a sigmoid's for the others.

    Args:
        logits: [batch, n].
        attributes: what is true, [batch, n] in [0, 1].
        groups: sizes, each >= 1, with the sum n.
        known: 1 for the groups that count and 0 for the others, [batch, groups]; None counts all.

    Returns:
        float32 [batch], >= 0.

    Raises:
        ValueError: for shapes that do not fit.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, eq. 2 and 3.
    """
    losses = [
        tf.nn.softmax_cross_entropy_with_logits(true, found)
        if size > 1
        else tf.nn.sigmoid_cross_entropy_with_logits(true, found)[:, 0]
        for size, found, true in _split(logits, attributes, groups)
    ]
    return tf.reduce_sum(_counted(losses, known), axis=1)


def group_accuracy(
    logits: tf.Tensor, attributes: tf.Tensor, groups: Sequence[int], known: tf.Tensor | None = None
) -> tf.Tensor:
    """The share of groups that are classified right: the largest logit is the class, a positive one the attribute.

    Args:
        logits, attributes, groups, known: as in `group_cross_entropy`.

    Returns:
        float32 [batch] in [0, 1]; of the known groups, 1 where none is.
    """
    right = [
        tf.cast(tf.argmax(found, 1) == tf.argmax(true, 1) if size > 1 else (found > 0)[:, 0] == (true > 0.5)[:, 0],
                tf.float32)
        for size, found, true in _split(logits, attributes, groups)
    ]  # fmt: skip
    counted = tf.ones_like(tf.stack(right, 1)) if known is None else tf.cast(known, tf.float32)
    wrong = tf.reduce_sum(_counted([1.0 - each for each in right], known), axis=1)
    return 1.0 - wrong / tf.maximum(tf.reduce_sum(counted, axis=1), 1.0)


def _split(logits, attributes, groups):
    """(size, logits [batch, size], attributes [batch, size]) of every group."""
    logits, attributes = tf.cast(logits, tf.float32), tf.cast(attributes, tf.float32)
    shape = [None, sum(groups)]
    if not (logits.shape.is_compatible_with(shape) and attributes.shape.is_compatible_with(shape)):
        raise ValueError(
            f"Expected logits and attributes [batch, {sum(groups)}] for the groups {tuple(groups)}; received "
            f"{logits.shape} and {attributes.shape}"
        )
    sizes = list(groups)
    return zip(sizes, tf.split(logits, sizes, axis=1), tf.split(attributes, sizes, axis=1), strict=True)


def _counted(values: list, known: tf.Tensor | None) -> tf.Tensor:
    values = tf.stack(values, axis=1)
    if known is None:
        return values
    if not tf.TensorShape(known.shape).is_compatible_with(values.shape):
        raise ValueError(f"Expected known [batch, {values.shape[1]}], a number for each group; received {known.shape}")
    return values * tf.cast(known, tf.float32)
