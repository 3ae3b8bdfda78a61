"""A layer that lets a discriminator see how much a group of images varies."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Appends one channel: the standard deviation over a group of examples, averaged over pixels and channels.

    A group is `group_size` neighboring examples of the batch. A batch whose size is not a multiple of `group_size` is
    one group. Groups do not span replicas: two replicas compute what one device computes if the number of examples of
    each replica is a multiple of the group size.

    Args:
        group_size: examples in a group, >= 2; 4 in the authors' code, the whole batch in the paper.
        epsilon: added to the variance, which keeps the gradient finite where all examples are equal.
        **kwargs: name and dtype.

    Raises:
        ValueError: for a group size that is not an integer >= 2.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 3.
    """

    def __init__(self, group_size: int = 4, epsilon: float = 1e-8, **kwargs: Any):
        if isinstance(group_size, bool) or not isinstance(group_size, int) or group_size < 2:
            raise ValueError(f"Expected group_size as an integer >= 2; received {group_size!r}")
        super().__init__(**kwargs)
        self.group_size, self.epsilon = group_size, epsilon

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(inputs)[0]
        size = tf.where(tf.equal(batch % self.group_size, 0), self.group_size, tf.maximum(batch, 1))
        groups = tf.reshape(tf.cast(inputs, tf.float32), tf.concat([[-1, size], tf.shape(inputs)[1:]], 0))
        variance = tf.reduce_mean(tf.square(groups - tf.reduce_mean(groups, axis=1, keepdims=True)), axis=1)
        stddev = tf.reduce_mean(tf.sqrt(variance + self.epsilon), axis=[1, 2, 3])  # [groups]
        plane = tf.reshape(tf.repeat(stddev, size), [-1, 1, 1, 1]) * tf.ones_like(inputs[..., :1], tf.float32)
        return tf.concat([inputs, tf.cast(plane, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "group_size": self.group_size, "epsilon": self.epsilon}
