"""Fully connected encoder and decoder."""

import math
from collections.abc import Sequence

import keras
from keras import layers


def mlp_encoder(
    image_shape: Sequence[int],
    outputs: int | Sequence[int],
    *,
    hidden: Sequence[int] = (200, 200),
    activation: str = "tanh",
    num_classes: int | None = None,
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> [batch, outputs], unbounded.

    Args:
        image_shape: (height, width, channels).
        outputs: units of the last layer; several numbers make several last layers, and the model gives a list.
        hidden: units of the hidden layers, first to last.
        activation: a Keras activation's name.
        num_classes: with a number, the model takes [images, one-hot labels [batch, num_classes]].
    """
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x = [image], layers.Flatten()(image)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    for units in hidden:
        x = layers.Dense(units, activation)(x)
    return keras.Model(inputs if num_classes else image, last_layers(x, outputs), name="encoder")


def mlp_decoder(
    size: int,
    image_shape: Sequence[int],
    *,
    hidden: Sequence[int] = (200, 200),
    activation: str = "tanh",
    num_classes: int | None = None,
) -> keras.Model:
    """Codes [batch, size] -> [batch, height, width, channels], unbounded: a head's parameters.

    Args:
        size: dimensions of a code.
        image_shape: (height, width, channels) of the output, channels being what the head asks for.
        hidden: units of the hidden layers, first to last.
        activation: a Keras activation's name.
        num_classes: with a number, the model takes [codes, one-hot labels [batch, num_classes]].
    """
    code = keras.Input((size,), name="z")
    inputs, x = [code], code
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([code, inputs[1]])
    for units in hidden:
        x = layers.Dense(units, activation)(x)
    x = layers.Dense(math.prod(image_shape), dtype="float32")(x)
    x = layers.Reshape(tuple(image_shape), dtype="float32")(x)
    return keras.Model(inputs if num_classes else code, x, name="decoder")


def last_layers(x, outputs: int | Sequence[int]):
    """A Keras tensor [batch, units] -> [batch, outputs] by a linear layer, or a list of them, each by its own."""
    several = isinstance(outputs, Sequence)
    made = [layers.Dense(units, dtype="float32")(x) for units in (outputs if several else (outputs,))]
    return made if several else made[0]
