"""A spectrally normalized 2-D convolution."""

import keras

from .spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SpectralConv2D(SpectralNormalization, keras.layers.Conv2D):
    """A `keras.layers.Conv2D` whose kernel is divided by its largest singular value.

    The singular value is that of the kernel as a matrix [height * width * input channels, filters], as in the paper.

    The gradient includes the derivative of the singular value. The layer has the arguments of
    `keras.layers.Conv2D` and `power_iterations`, see `SpectralNormalization`.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """
