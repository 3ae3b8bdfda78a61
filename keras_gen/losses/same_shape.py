"""The check of losses that compare two tensors of one shape."""

import tensorflow as tf


def check_same_shape(first: tf.Tensor, second: tf.Tensor, first_name: str, second_name: str) -> None:
    """Checks that two tensors or arrays have one shape [batch, height, width, channels].

    Args:
        first: the first tensor.
        second: the second tensor.
        first_name: its name in the error.
        second_name: its name in the error.

    Raises:
        ValueError: for other ranks or different shapes.
    """
    shape = tf.TensorShape(first.shape)
    if shape.rank != 4 or not shape.is_compatible_with(second.shape):
        raise ValueError(
            f"Expected {first_name} and {second_name} of one shape [batch, height, width, channels]; received "
            f"{first.shape} and {second.shape}"
        )
