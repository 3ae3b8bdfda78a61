"""Equalized learning rate: what the equalized layers share."""

import keras

from .derived_kernel import DerivedKernel


class EqualizedLearningRate(DerivedKernel):
    """Scales a Keras layer's kernel by He's constant at every use; to be inherited before the layer.

    The stored weight is drawn from N(0, 1); the kernel is gain / sqrt(n) times it, n being the inputs of one unit. The
    layer starts as by He's initializer, and an optimizer that divides a gradient by its size, as Adam does, moves all
    layers' weights at the same relative speed.

    Args:
        gain: sqrt(2) before a (leaky) ReLU, as in the paper; 1 before nothing.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, Progressive Growing of GANs, arXiv:1710.10196, section 4.1. He, Zhang, Ren,
        Sun 2015, arXiv:1502.01852, eq. 10.
    """

    def __init__(self, *args, gain: float = 2**0.5, **kwargs):
        kwargs.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=1.0))
        super().__init__(*args, **kwargs)
        self.gain = gain

    def derived(self, kernel):
        inputs = kernel.shape[:-1].num_elements()
        return kernel * (self.gain / inputs**0.5)

    def get_config(self) -> dict:
        return {**super().get_config(), "gain": self.gain}
