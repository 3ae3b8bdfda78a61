"""The equalized learning rate, which the equalized layers share."""

from typing import Any

import keras
import tensorflow as tf

from .derived_kernel import DerivedKernel


class EqualizedLearningRate(DerivedKernel):
    """Multiplies a Keras layer's kernel by He's constant at every call; inherit from it before the layer.

    The stored weight is initialized from N(0, 1), and the kernel is gain / sqrt(fan-in) times it. The layer starts as
    with He's initializer, and an optimizer that normalizes gradients by their size, such as Adam, updates the weights
    of all layers at the same relative speed.

    Args:
        *args: positional arguments of the Keras layer.
        gain: sqrt(2) before a (leaky) ReLU, as in the paper; 1 before no activation.
        **kwargs: keyword arguments of the Keras layer.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, Progressive Growing of GANs, arXiv:1710.10196, section 4.1. He, Zhang, Ren,
        Sun 2015, arXiv:1502.01852, eq. 10.
    """

    def __init__(self, *args: Any, gain: float = 2**0.5, **kwargs: Any):
        kwargs.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=1.0))
        super().__init__(*args, **kwargs)
        self.gain = gain

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        fan_in = kernel.shape[:-1].num_elements()
        return kernel * (self.gain / fan_in**0.5)

    def get_config(self) -> dict:
        return {**super().get_config(), "gain": self.gain}
