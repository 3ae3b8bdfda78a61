"""The class that a one-hot label names, for priors whose parts belong to classes."""

import tensorflow as tf


def read_label(label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which rows have a label, and which class it is.

    Args:
        label: float32 [num, classes], one-hot; a row of zeros is an example without a label.

    Returns:
        bool [num], and int32 [num] (0 where there is no label).

    Raises:
        ValueError: for labels that are not one-hot rows.
    """
    label = tf.convert_to_tensor(label)
    if label.shape.rank != 2:
        raise ValueError(f"Expected one-hot labels [num, classes]; received the shape {tuple(label.shape)}")
    return tf.reduce_max(label, axis=1) > 0, tf.argmax(label, axis=1, output_type=tf.int32)
