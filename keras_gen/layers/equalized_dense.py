"""A dense layer with an equalized learning rate."""

import keras

from .equalized_learning_rate import EqualizedLearningRate


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedDense(EqualizedLearningRate, keras.layers.Dense):
    """`keras.layers.Dense` whose kernel is gain / sqrt(inputs of a unit) times a weight drawn from N(0, 1).

    Args:
        units, ...: as of `keras.layers.Dense`.
        gain: sqrt(2) before a (leaky) ReLU; 1 before nothing.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 4.1.
    """
