"""A spectrally normalized Dense layer."""

import keras

from .spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SpectralDense(SpectralNormalization, keras.layers.Dense):
    """`keras.layers.Dense` whose kernel is divided by its largest singular value, with the gradient through it.

    Without its bias and activation the layer is then 1-Lipschitz, once the power iteration has converged.

    Args:
        units, ...: as of `keras.layers.Dense`.
        power_iterations: steps of the power iteration in every training call, >= 1.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """
