"""Decoding of one-hot labels, for priors whose components belong to classes."""

import tensorflow as tf


def decode_one_hot(label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns which rows have a label, and its class.

    Args:
        label: float32 [num, classes], one-hot; a row of zeros is an example without a label.

    Returns:
        bool [num], and int32 [num] (0 for a row without a label).

    Raises:
        ValueError: for labels of another rank.
    """
    label = tf.convert_to_tensor(label)
    if label.shape.rank != 2:
        raise ValueError(f"Expected one-hot labels [num, classes]; received the shape {tuple(label.shape)}")
    return tf.reduce_max(label, axis=1) > 0, tf.argmax(label, axis=1, output_type=tf.int32)
