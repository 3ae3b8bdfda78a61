"""A layer that normalizes the feature vector of every pixel."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class PixelNormalization(keras.layers.Layer):
    """x / sqrt(max(mean of x^2 over the channels, epsilon)) at every pixel; the channels are the last axis.

    The paper adds epsilon to the mean. With epsilon as a floor, TFLite computes the normalization in one operation
    (L2_NORMALIZATION; the next convolution absorbs the constant factor), whose int8 error is half of that of the
    separate operations.

    Args:
        epsilon: floor of the mean square, > 0; 1e-8 in the paper.
        **kwargs: name and dtype.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.2.
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        channels = inputs.shape[-1]
        unit = tf.math.l2_normalize(tf.cast(inputs, tf.float32), axis=-1, epsilon=channels * self.epsilon)
        return tf.cast(unit * channels**0.5, inputs.dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}
