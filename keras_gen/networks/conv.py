"""Convolutional encoder and decoder whose depth follows the image's size."""

from collections.abc import Sequence

import keras
from keras import layers

from .mlp import last_layers


def num_downsamples(height: int, width: int, smallest: int = 4) -> int:
    """How often height and width can be halved without a remainder and without going below `smallest`.

    28 -> 2 (7x7), 32 -> 3 (4x4), 64 -> 4, 256 -> 6.
    """
    count = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= smallest:
        height, width, count = height // 2, width // 2, count + 1
    return count


def nearest_size(image_shape: Sequence[int | None], step: int, smallest: int) -> str:
    """The nearest size whose sides are multiples of `step` and at least `smallest`, as `--image-size` takes it.

    Example:
        >>> nearest_size((17, 30, 3), 4, 12)
        '16x32'
    """
    sides = (smallest if side is None else max(smallest, step * round(side / step)) for side in image_shape[:2])
    return "x".join(map(str, sides))


def conv_encoder(
    image_shape: Sequence[int],
    outputs: int | Sequence[int],
    *,
    base_filters: int = 32,
    dense_units: int = 256,
    activation: str = "silu",
    num_classes: int | None = None,
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> [batch, outputs], unbounded.

    Strided 4x4 convolutions, `base_filters`, 2 * `base_filters`, ... channels up to 8 * `base_filters`, one per halving of the size.

    Args:
        image_shape: (height, width, channels); height and width must halve at least once to 4 or more.
        outputs: units of the last layer; several numbers make several last layers, and the model gives a list.
        base_filters: channels of the first convolution.
        dense_units: units of the hidden dense layer.
        activation: a Keras activation's name.
        num_classes: with a number, the model takes [images, one-hot labels [batch, num_classes]]; the label joins
            the dense layer.

    Raises:
        ValueError: for a size that does not halve.
    """
    steps, options = convolution_steps(image_shape), _options(activation)
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x = [image], image
    for step in range(steps):
        x = layers.Conv2D(base_filters * min(2**step, 8), 4, strides=2, padding="same", **options)(x)
    x = layers.Flatten()(x)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    x = layers.Dense(dense_units, **options)(x)
    return keras.Model(inputs if num_classes else image, last_layers(x, outputs), name="encoder")


def conv_decoder(
    size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int = 32,
    dense_units: int = 256,
    activation: str = "silu",
    num_classes: int | None = None,
) -> keras.Model:
    """Codes [batch, size] -> [batch, height, width, channels], unbounded: a head's parameters.

    The mirror image of `conv_encoder`, with transposed convolutions.

    Args:
        size: dimensions of a code.
        image_shape: (height, width, channels) of the output, channels being what the head asks for.
        base_filters: channels before the last layer.
        dense_units: units of the hidden dense layer.
        activation: a Keras activation's name.
        num_classes: with a number, the model takes [codes, one-hot labels [batch, num_classes]].

    Raises:
        ValueError: for a size that does not halve.
    """
    steps, options = convolution_steps(image_shape), _options(activation)
    height, columns, channels = image_shape
    code = keras.Input((size,), name="z")
    inputs, x = [code], code
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([code, inputs[1]])
    small = (height >> steps, columns >> steps, base_filters * min(2 ** (steps - 1), 8))
    x = layers.Dense(dense_units, **options)(x)
    x = layers.Dense(small[0] * small[1] * small[2], **options)(x)
    x = layers.Reshape(small)(x)
    for step in reversed(range(steps - 1)):
        x = layers.Conv2DTranspose(base_filters * min(2**step, 8), 4, strides=2, padding="same", **options)(x)
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32")(x)
    return keras.Model(inputs if num_classes else code, x, name="decoder")


def _options(activation: str) -> dict:
    # with SiLU, 200 steps brought what 400 bring with ReLU and Glorot's scale (32x32 color, one seed); He's scale
    # under ReLU alone made no clear difference
    return {"activation": activation, "kernel_initializer": "he_normal"}


def convolution_steps(image_shape: Sequence[int]) -> int:
    """The num_downsamples of an image, or a ValueError where there is none."""
    if len(image_shape) != 3:
        raise ValueError(f"image_shape must be (height, width, channels); received {tuple(image_shape)}")
    steps = num_downsamples(*image_shape[:2])
    if steps == 0:
        raise ValueError(
            "A convolutional network needs a height and width that halve to 4 or more (28, 32, 48, 64, ...); received "
            f"{tuple(image_shape)}: resize the images (--image-size {nearest_size(image_shape, 2, 8)}), or use the mlp "
            "networks"
        )
    return steps
