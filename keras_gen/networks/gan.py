"""Fully connected generator and discriminator, of images or of vectors."""

import math
from collections.abc import Sequence

import keras
from keras import layers


def mlp_generator(
    size: int,
    output_shape: Sequence[int],
    *,
    hidden_units: Sequence[int] = (1200, 1200),
    activation: str = "relu",
    num_classes: int | None = None,
) -> keras.Model:
    """Returns a generator: noise [batch, size] -> images [batch, height, width, channels] in [0, 1], or vectors.

    Args:
        size: dimensions of the noise.
        output_shape: (height, width, channels) of images, the outputs of a sigmoid, or (n,) of vectors, the unbounded
            outputs of a linear layer.
        hidden_units: units of the hidden layers, first to last.
        activation: name of a Keras activation.
        num_classes: number of classes of a model with the inputs [noise, one-hot labels [batch, num_classes]].

    Raises:
        ValueError: for an output_shape of another rank.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 5 (ReLU and sigmoid units; the
        paper states no numbers of units; the default is that of its published code).
    """
    output_shape = _check_shape(output_shape)
    noise = keras.Input((size,), name="z")
    inputs, x = [noise], noise
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()(inputs)
    for units in hidden_units:
        x = layers.Dense(units, activation)(x)
    last = "sigmoid" if len(output_shape) == 3 else "linear"
    x = layers.Dense(math.prod(output_shape), last, dtype="float32")(x)
    x = layers.Reshape(output_shape, dtype="float32")(x)
    return keras.Model(inputs if num_classes else noise, x, name="generator")


def mlp_discriminator(
    input_shape: Sequence[int],
    *,
    hidden_units: Sequence[int] = (240, 240),
    activation: str = "maxout",
    pieces: int = 5,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    initial_range: float | None = None,
    num_classes: int | None = None,
    packing: int = 1,
) -> keras.Model:
    """Returns a discriminator: images in [0, 1] or vectors -> logits [batch, 1], the log-odds of real.

    Maxout is the default, as in the paper. The paper also uses dropout (its published code drops 0.2 of the inputs and
    0.5 of the hidden units), which is off by default: a dropout layer samples the same mask on every replica, so two
    replicas would not equal one device, and a gradient penalty would use another network at every call.

    Args:
        input_shape: (height, width, channels) of an image, or (n,) of a vector.
        hidden_units: units of the hidden layers, first to last.
        activation: "maxout" (each unit the largest of `pieces` linear functions) or a Keras activation's name.
        pieces: linear functions of a maxout unit; with 5, 240 units have the weights of 1,200.
        dropout: fraction of the hidden units that training drops, 0 <= rate < 1.
        input_dropout: fraction of the inputs that training drops, 0 <= rate < 1.
        initial_range: initial weights are uniform between minus and plus this number; None is Glorot's range, which is
            ten times that of the published code, 0.005.
        num_classes: number of classes of a model with the inputs [input, one-hot labels [batch,
            packing * num_classes]].
        packing: number of inputs that are classified jointly, concatenated along the last axis, as are their labels
            (PacGAN).

    Raises:
        ValueError: for an input_shape of another rank, or packing < 1.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 5.
        Mirza, Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784 (the label is part of
        the input).
        Lin, Khetan, Fanti, Oh 2017, PacGAN, arXiv:1712.04086, section 2 (packing).
    """
    shape = packed_shape(_check_shape(input_shape), packing)
    sample = keras.Input(shape, name="image" if len(shape) == 3 else "x")
    inputs, x = [sample], layers.Flatten()(sample)
    if num_classes:
        inputs.append(keras.Input((packing * num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    x = layers.Dropout(input_dropout)(x) if input_dropout else x
    for units in hidden_units:
        if activation == "maxout":
            x = layers.Reshape((pieces, units))(layers.Dense(pieces * units, **_uniform(initial_range))(x))
            x = layers.GlobalMaxPooling1D()(x)
        else:
            x = layers.Dense(units, activation, **_uniform(initial_range))(x)
        x = layers.Dropout(dropout)(x) if dropout else x
    x = layers.Dense(1, dtype="float32", **_uniform(initial_range))(x)
    return keras.Model(inputs if num_classes else sample, x, name="discriminator")


def packed_shape(shape: Sequence[int], packing: int) -> tuple[int, ...]:
    """Returns the shape of `packing` inputs concatenated along their last axis: (28, 28, 1), 2 -> (28, 28, 2)."""
    if not isinstance(packing, int) or packing < 1:
        raise ValueError(f"Expected packing as an integer >= 1 (1 classifies every input alone); received {packing!r}")
    return (*shape[:-1], packing * shape[-1])


def _uniform(limit: float | None) -> dict:
    """Returns the keyword argument for a layer with initial weights from -limit to limit; none for Keras's default."""
    # a new initializer each time: an initializer that is called twice returns the same numbers twice
    return {} if limit is None else {"kernel_initializer": keras.initializers.RandomUniform(-limit, limit)}


def _check_shape(shape: Sequence[int]) -> tuple[int, ...]:
    shape = tuple(shape)
    if len(shape) not in (1, 3):
        raise ValueError(f"Expected (height, width, channels) for images or (n,) for vectors; received {shape}")
    return shape
