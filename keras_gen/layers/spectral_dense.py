"""A spectrally normalized dense layer."""

import keras

from .spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SpectralDense(SpectralNormalization, keras.layers.Dense):
    """A `keras.layers.Dense` whose kernel is divided by its largest singular value.

    Without bias and activation the layer is 1-Lipschitz once the power iteration has converged.

    The gradient includes the derivative of the singular value. The layer has the arguments of
    `keras.layers.Dense` and `power_iterations`, see `SpectralNormalization`.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """
