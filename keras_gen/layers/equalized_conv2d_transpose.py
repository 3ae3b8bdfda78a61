"""A transposed 2-D convolution with an equalized learning rate."""

import math

import keras
import tensorflow as tf

from .equalized_learning_rate import EqualizedLearningRate


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedConv2DTranspose(EqualizedLearningRate, keras.layers.Conv2DTranspose):
    """A `keras.layers.Conv2DTranspose` whose kernel is gain / sqrt(fan-in) times a weight initialized from N(0, 1).

    The fan-in is the mean number of products in an output pixel: height * width * input channels of the kernel, divided
    by the strides. The layer has the arguments of `keras.layers.Conv2DTranspose` and `gain`, see
    `EqualizedLearningRate`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.1.
    """

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        height, width, _, channels = kernel.shape
        fan_in = height * width * channels / math.prod(self.strides)
        return kernel * (self.gain / fan_in**0.5)
