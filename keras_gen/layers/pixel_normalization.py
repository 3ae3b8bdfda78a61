"""Pixelwise feature normalization."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class PixelNormalization(keras.layers.Layer):
    """x / sqrt(max(mean of x^2 over the channels, epsilon)), at every pixel; the last axis holds the channels.

    The paper adds epsilon to the mean. As its floor, the whole is one operation of TFLite (L2_NORMALIZATION, and a
    factor that the next convolution takes up), whose int8 errors are half of those of the steps one by one.

    Args:
        epsilon: 1e-8 in the paper.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.2.
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs):
        channels = inputs.shape[-1]
        unit = tf.math.l2_normalize(tf.cast(inputs, tf.float32), axis=-1, epsilon=channels * self.epsilon)
        return tf.cast(unit * channels**0.5, inputs.dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}
