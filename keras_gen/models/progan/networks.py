"""The growing generator and discriminator of the Progressive GAN."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.layers import EqualizedConv2D, EqualizedDense, MinibatchStandardDeviation, PixelNormalization
from keras_gen.networks.conv import num_downsamples
from keras_gen.networks.gan import packed_shape

from .progressive_discriminator import ProgressiveDiscriminator
from .progressive_generator import ProgressiveGenerator

SLOPE = 0.2
LARGEST_START = 7


def resolutions(image_shape: Sequence[int], start: int | None = None) -> list[tuple[int, int]]:
    """(height, width) of every stage, from the smallest to the image's own.

    Args:
        image_shape: (height, width, channels).
        start: smaller side of the first stage; None is the smallest that halving gives, 4 to 7 pixels. The image's own
            is a network that does not grow.

    Raises:
        ValueError: for sides that are not 4 to 7 pixels times one power of two, or a start that is no stage.

    Example:
        >>> resolutions((28, 28, 1))
        [(7, 7), (14, 14), (28, 28)]
    """
    height, width = image_shape[:2]
    steps = num_downsamples(height, width)
    if not 4 <= min(height, width) >> steps <= LARGEST_START:
        raise ValueError(
            f"Images of {height}x{width} cannot grow by doubling: the smaller side must be 4, 5, 6 or 7 pixels times a "
            "power of two, and the larger one divide by the same power (32, 48, 64, 96, 128, ..., or 48x64). Choose "
            "such a size (--image-size 64): images are cut and resized to it"
        )
    found = [(height >> step, width >> step) for step in range(steps, -1, -1)]
    if start is None:
        return found
    sides = [min(size) for size in found]
    if start not in sides:
        raise ValueError(
            f"start={start!r} is no stage of {height}x{width}: expected one of {', '.join(map(str, sides))}"
        )
    return found[sides.index(start) :]


def progressive_generator(
    size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    full_width_resolution: int = 8,
    start: int | None = None,
    num_classes: int | None = None,
) -> ProgressiveGenerator:
    """Codes [batch, size] -> images of a stage, about [0, 1] and not cut there.

    The code is scaled to the length sqrt(size). A dense layer and a 3x3 convolution at the smallest resolution; for
    each further one, nearest-neighbor upsampling and two 3x3 convolutions. Leaky ReLU and pixelwise normalization
    after each; a linear 1x1 convolution to the image. All with equalized learning rates.

    Args:
        size: dimensions of the codes.
        image_shape: (height, width, channels) of the last stage; see `resolutions`.
        base_filters: channels of the small resolutions; 512 in the paper.
        full_width_resolution: last height of so many channels; from its double on they halve with each doubling. 32 in the paper.
        start: see `resolutions`.
        num_classes: with a number, the model takes [codes, one-hot labels [batch, num_classes]].

    Raises:
        ValueError: as `resolutions`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, appendix A.1, table 2.
    """
    sizes = resolutions(image_shape, start)
    small = resolutions(image_shape)
    code = keras.Input((size,), name="z")
    inputs, x = [code], PixelNormalization()(code)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    rows, columns = small[0]
    first = _channels(rows, base_filters, full_width_resolution)
    # gain: as the authors' code, where this layer's n is that of a 4x4 convolution's transpose
    x = EqualizedDense(rows * columns * first, gain=2**0.5 / 4)(x)
    x = _normalized(layers.Reshape((rows, columns, first))(x))
    x = _normalized(_conv(first)(x))
    blocks, heads = [], []
    for height, columns in small:
        if (height, columns) != small[0]:
            if (height, columns) in sizes[1:]:
                given = keras.Input((height // 2, columns // 2, x.shape[-1]), name="features")
                inputs, x = given, given
            channels = _channels(height, base_filters, full_width_resolution)
            x = layers.UpSampling2D(2, interpolation="nearest")(x)
            for _ in range(2):
                x = _normalized(_conv(channels)(x))
        if (height, columns) in sizes:
            blocks.append(keras.Model(_single(inputs), x, name=f"generator_{height}x{columns}"))
            heads.append(_to_image(x.shape[1:], image_shape[-1]))
    return ProgressiveGenerator(blocks, heads, name="generator")


def progressive_discriminator(
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    full_width_resolution: int = 8,
    start: int | None = None,
    group_size: int = 4,
    num_classes: int | None = None,
    packing: int = 1,
) -> ProgressiveDiscriminator:
    """Images of a stage [batch, height, width, packing * channels] -> logits [batch, 1], unbounded.

    A 1x1 convolution from the image; for each resolution two 3x3 convolutions and the mean of 2x2 pixels; at the
    smallest one the minibatch standard deviation, a 3x3 convolution and two dense layers. Leaky ReLU, no
    normalization. With classes, the logit is w . f(x) + y . V f(x), as of `dcgan_discriminator`.

    Args:
        image_shape, width, full_width_resolution, start: as of `progressive_generator`.
        group_size: see `keras_gen.layers.MinibatchStandardDeviation`.
        num_classes, packing: as of `dcgan_discriminator`.

    Raises:
        ValueError: as `resolutions`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, appendix A.1, table 2. Miyato, Koyama 2018,
        arXiv:1802.05637 (classes).
    """
    sizes, small = resolutions(image_shape, start), resolutions(image_shape)
    channels_in = packed_shape(image_shape, packing)[-1]
    blocks, heads = [], []
    for index, (height, columns) in enumerate(small):
        channels = _channels(height, base_filters, full_width_resolution)
        if (height, columns) in sizes:
            heads.append(_from_image((height, columns, channels_in), channels))
        joined = blocks and (height, columns) not in sizes[1:]
        features = keras.Input((height, columns, channels), name="features")
        if index:
            x = _leaky(_conv(channels)(features))
            x = _leaky(_conv(_channels(height // 2, base_filters, full_width_resolution))(x))
            x = layers.AveragePooling2D(2)(x)
            if joined:  # below the first stage: one block with what follows
                inner, rest = blocks.pop(), [] if not num_classes else [keras.Input((packing * num_classes,))]
                inputs = [features, *rest]
                block = keras.Model(
                    _single(inputs), inner(_single([x, *rest])), name=f"discriminator_{height}x{columns}"
                )
            else:
                block = keras.Model(features, x, name=f"discriminator_{height}x{columns}")
        else:
            block = _last(features, base_filters, group_size, num_classes and packing * num_classes)
        blocks.append(block)
    return ProgressiveDiscriminator(blocks, heads, name="discriminator")


def _last(features, base_filters: int, group_size: int, labels: int | None) -> keras.Model:
    """Features of the smallest resolution -> logits."""
    height, columns, channels = features.shape[1:]
    x = MinibatchStandardDeviation(group_size)(features)
    x = _leaky(_conv(channels)(x))
    x = _leaky(EqualizedDense(base_filters)(layers.Flatten()(x)))
    logit = EqualizedDense(1, gain=1.0, dtype="float32")(x)
    inputs = [features]
    if labels:
        inputs.append(keras.Input((labels,), name="label"))
        rows = EqualizedDense(base_filters, gain=1.0, use_bias=False, dtype="float32")(inputs[1])
        logit = layers.Add(dtype="float32")([logit, layers.Dot(axes=1, dtype="float32")([x, rows])])
    return keras.Model(_single(inputs), logit, name=f"discriminator_{height}x{columns}")


def _to_image(shape: Sequence[int], channels: int) -> keras.Model:
    features = keras.Input(tuple(shape), name="features")
    x = EqualizedConv2D(channels, 1, gain=1.0, dtype="float32")(features)
    x = layers.Rescaling(0.5, offset=0.5, dtype="float32")(x)
    return keras.Model(features, x, name=f"to_image_{shape[0]}x{shape[1]}")


def _from_image(shape: Sequence[int], channels: int) -> keras.Model:
    image = keras.Input(tuple(shape), name="image")
    x = _leaky(EqualizedConv2D(channels, 1)(layers.Rescaling(2.0, offset=-1.0)(image)))
    return keras.Model(image, x, name=f"from_image_{shape[0]}x{shape[1]}")


def _channels(height: int, width: int, full_width_resolution: int) -> int:
    doublings = 0
    while height > 2 * full_width_resolution - 1:
        height, doublings = height // 2, doublings + 1
    return max(1, width >> doublings)


def _conv(channels: int) -> EqualizedConv2D:
    return EqualizedConv2D(channels, 3, padding="same")


def _leaky(x):
    return layers.LeakyReLU(SLOPE)(x)


def _normalized(x):
    return PixelNormalization()(_leaky(x))


def _single(inputs):
    return inputs[0] if isinstance(inputs, list) and len(inputs) == 1 else inputs
