"""Nearest-neighbor upsampling and a convolution with an equalized learning rate."""

import keras
import tensorflow as tf

from .equalized_learning_rate import EqualizedLearningRate
from .resize_conv2d import ResizeConv2D


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedResizeConv2D(EqualizedLearningRate, ResizeConv2D):
    """Equals `UpSampling2D(2)` and `EqualizedConv2D(filters, kernel_size, padding="same")`, see `ResizeConv2D`.

    It has the arguments of `ResizeConv2D` and `gain`, see `EqualizedLearningRate`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.1 and table 2.
    """

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        return ResizeConv2D.derive(self, EqualizedLearningRate.derive(self, kernel))
