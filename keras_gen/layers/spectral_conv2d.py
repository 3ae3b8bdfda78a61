"""A spectrally normalized 2-D convolution."""

import keras

from .spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SpectralConv2D(SpectralNormalization, keras.layers.Conv2D):
    """`keras.layers.Conv2D` whose kernel is divided by its largest singular value, with the gradient through it.

    The singular value is that of the matrix [height * width * input channels, filters], as in the paper.

    Args:
        filters, kernel_size, ...: as of `keras.layers.Conv2D`.
        power_iterations: steps of the power iteration in every training call, >= 1.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """
