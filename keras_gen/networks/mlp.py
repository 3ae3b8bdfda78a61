"""Fully connected encoder and decoder."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from .normalization import hidden_layer


def mlp_encoder(
    image_shape: Sequence[int],
    outputs: int | Sequence[int],
    *,
    hidden_units: Sequence[int] = (200, 200),
    activation: str = "tanh",
    normalization: str = "none",
    num_classes: int | None = None,
) -> keras.Model:
    """Returns an encoder: images [batch, height, width, channels] in [0, 1] -> [batch, outputs], unbounded.

    Args:
        image_shape: (height, width, channels).
        outputs: units of the last layer; a sequence results in several last layers and a list of outputs.
        hidden_units: units of the hidden layers, first to last.
        activation: name of a Keras activation.
        normalization: "batch" or "layer" normalizes every hidden layer before its activation; "none" does not.
        num_classes: number of classes of a model with the inputs [images, one-hot labels [batch, num_classes]].
    """
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x = [image], layers.Flatten()(image)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    for units in hidden_units:
        x = hidden_layer(layers.Dense, x, units, activation=activation, normalization=normalization)
    return keras.Model(inputs if num_classes else image, last_layers(x, outputs), name="encoder")


def mlp_decoder(
    size: int,
    image_shape: Sequence[int],
    *,
    hidden_units: Sequence[int] = (200, 200),
    activation: str = "tanh",
    num_classes: int | None = None,
) -> keras.Model:
    """Returns a decoder: codes [batch, size] -> a head's parameters [batch, height, width, channels], unbounded.

    Args:
        size: dimensions of a code.
        image_shape: (height, width, channels) of the output, with the head's number of channels.
        hidden_units: units of the hidden layers, first to last.
        activation: name of a Keras activation.
        num_classes: number of classes of a model with the inputs [codes, one-hot labels [batch, num_classes]].
    """
    code = keras.Input((size,), name="z")
    inputs, x = [code], code
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([code, inputs[1]])
    for units in hidden_units:
        x = layers.Dense(units, activation)(x)
    x = layers.Dense(math.prod(image_shape), dtype="float32")(x)
    x = layers.Reshape(tuple(image_shape), dtype="float32")(x)
    return keras.Model(inputs if num_classes else code, x, name="decoder")


def last_layers(x: keras.KerasTensor, outputs: int | Sequence[int]) -> Any:
    """Returns the output [batch, outputs] of a linear layer on [batch, units], or a list for several linear layers."""
    if isinstance(outputs, Sequence):
        return [layers.Dense(units, dtype="float32")(x) for units in outputs]
    return layers.Dense(outputs, dtype="float32")(x)
