"""Normalization of features, by name."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

NORMALIZATIONS = ("batch", "layer", "spectral", "none")
HIDDEN_NORMALIZATIONS = ("batch", "layer", "none")  # of encoders


def apply_normalization(x: keras.KerasTensor, normalization: str, affine: bool = True) -> keras.KerasTensor:
    """Returns a Keras tensor [batch, ..., channels] with the normalization of `dcgan_discriminator`.

    Args:
        x: the tensor.
        normalization: one of `NORMALIZATIONS`.
        affine: whether batch normalization has a scale and a shift for each channel.

    Raises:
        ValueError: for an unknown normalization.
    """
    if normalization == "batch":
        # synchronized: with the moments of the global batch, two replicas equal one device
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, center=affine, scale=affine, synchronized=True)(x)
    if normalization == "layer":
        return layers.GroupNormalization(groups=1, epsilon=1e-5)(x)
    if normalization in ("none", "spectral"):  # spectral normalization applies to weights
        return x
    raise ValueError(f"Expected normalization as one of {', '.join(NORMALIZATIONS)}; received {normalization!r}")


def hidden_layer(
    layer: Callable, x: keras.KerasTensor, units: int, *, activation: str, normalization: str, **options: Any
) -> keras.KerasTensor:
    """Returns the features of a dense or convolutional layer, normalized before the activation.

    Args:
        layer: `keras.layers.Dense` or a convolution.
        x: its input.
        units: its units or channels.
        activation: name of a Keras activation.
        normalization: "batch" or "layer", see `apply_normalization`; "none" is the layer with its activation alone.
        **options: further arguments of the layer.

    Raises:
        ValueError: for another normalization.
    """
    if normalization not in HIDDEN_NORMALIZATIONS:
        raise ValueError(
            f"Expected normalization as one of {', '.join(HIDDEN_NORMALIZATIONS)}; received {normalization!r}"
        )
    if normalization == "none":
        return layer(units, activation=activation, **options)(x)
    x = apply_normalization(layer(units, use_bias=False, **options)(x), normalization)
    return layers.Activation(activation)(x)
