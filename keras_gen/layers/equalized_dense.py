"""A dense layer with an equalized learning rate."""

import keras

from .equalized_learning_rate import EqualizedLearningRate


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedDense(EqualizedLearningRate, keras.layers.Dense):
    """A `keras.layers.Dense` whose kernel is gain / sqrt(fan-in) times a weight initialized from N(0, 1).

    It has the arguments of `keras.layers.Dense` and `gain`, see `EqualizedLearningRate`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.1.
    """
