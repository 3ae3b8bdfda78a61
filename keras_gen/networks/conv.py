"""Convolutional encoder and decoder whose depth depends on the image size."""

from collections.abc import Sequence

import keras
from keras import layers

from .mlp import last_layers
from .normalization import hidden_layer
from .upsampling import upsample


def num_downsamples(height: int, width: int, smallest: int = 4) -> int:
    """Returns how often height and width can be halved evenly without getting smaller than `smallest`.

    28 -> 2 (7x7), 32 -> 3 (4x4), 64 -> 4, 256 -> 6.
    """
    count = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= smallest:
        height, width, count = height // 2, width // 2, count + 1
    return count


def nearest_size(image_shape: Sequence[int | None], step: int, smallest: int) -> str:
    """Returns the nearest size whose sides are multiples of `step` and >= `smallest`, in the form of `--image-size`.

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
    normalization: str = "none",
    num_classes: int | None = None,
) -> keras.Model:
    """Returns an encoder: images [batch, height, width, channels] in [0, 1] -> [batch, outputs], unbounded.

    It has strided 4x4 convolutions, one per halving of the size, with `base_filters`, 2 * `base_filters`, ... up to
    8 * `base_filters` channels.

    Args:
        image_shape: (height, width, channels); height and width must be even, and their halves >= 4.
        outputs: units of the last layer; a sequence results in several last layers and a list of outputs.
        base_filters: channels of the first convolution.
        dense_units: units of the hidden dense layer.
        activation: name of a Keras activation.
        normalization: "batch" or "layer" normalizes every hidden layer before its activation; "none" does not.
        num_classes: number of classes of a model with the inputs [images, one-hot labels [batch, num_classes]]; the
            label is concatenated to the inputs of the dense layer.

    Raises:
        ValueError: for a size that cannot be halved.
    """
    steps, options = convolution_steps(image_shape), _options(activation) | {"normalization": normalization}
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x = [image], image
    for step in range(steps):
        filters = base_filters * min(2**step, 8)
        x = hidden_layer(layers.Conv2D, x, filters, kernel_size=4, strides=2, padding="same", **options)
    x = layers.Flatten()(x)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    x = hidden_layer(layers.Dense, x, dense_units, **options)
    return keras.Model(inputs if num_classes else image, last_layers(x, outputs), name="encoder")


def conv_decoder(
    size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int = 32,
    dense_units: int = 256,
    activation: str = "silu",
    upsampling: str = "transposed",
    num_classes: int | None = None,
) -> keras.Model:
    """Returns a decoder: codes [batch, size] -> a head's parameters [batch, height, width, channels], unbounded.

    The mirror image of `conv_encoder`, with convolutions that double the size.

    Args:
        size: dimensions of a code.
        image_shape: (height, width, channels) of the output, with the head's number of channels.
        base_filters: channels before the last layer.
        dense_units: units of the hidden dense layer.
        activation: name of a Keras activation.
        upsampling: how a convolution doubles the size: "transposed", "resize", "blur" or "subpixel"; see
            `keras_gen.networks.upsampling.upsample`.
        num_classes: number of classes of a model with the inputs [codes, one-hot labels [batch, num_classes]].

    Raises:
        ValueError: for a size that cannot be halved, or an unknown upsampling.
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
        x = upsample(x, base_filters * min(2**step, 8), upsampling=upsampling, **options)
    x = upsample(x, channels, upsampling=upsampling, dtype="float32")
    return keras.Model(inputs if num_classes else code, x, name="decoder")


def _options(activation: str) -> dict:
    # SiLU reached in 200 steps the loss of ReLU with Glorot's scale in 400 (32x32 color, one seed); He's scale with
    # ReLU made no clear difference
    return {"activation": activation, "kernel_initializer": "he_normal"}


def convolution_steps(image_shape: Sequence[int]) -> int:
    """Returns the number of downsampling steps of an image.

    Raises:
        ValueError: for a size that cannot be halved.
    """
    if len(image_shape) != 3:
        raise ValueError(f"Expected image_shape as (height, width, channels); received {tuple(image_shape)}")
    steps = num_downsamples(*image_shape[:2])
    if steps == 0:
        raise ValueError(
            "Expected a height and width that halve to 4 or more (28, 32, 48, 64, ...); received "
            f"{tuple(image_shape)}: resize the images (--image-size {nearest_size(image_shape, 2, 8)}), or use the mlp "
            "networks"
        )
    return steps
