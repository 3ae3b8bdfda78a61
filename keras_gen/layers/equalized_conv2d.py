"""A 2-D convolution with an equalized learning rate."""

import keras

from .equalized_learning_rate import EqualizedLearningRate


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedConv2D(EqualizedLearningRate, keras.layers.Conv2D):
    """A `keras.layers.Conv2D` whose kernel is gain / sqrt(fan-in) times a weight initialized from N(0, 1).

    It has the arguments of `keras.layers.Conv2D` and `gain`, see `EqualizedLearningRate`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.1.
    """
