"""The growing generator and discriminator of the Progressive GAN."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gen.layers import EqualizedConv2D, EqualizedDense, MinibatchStandardDeviation, PixelNormalization
from keras_gen.networks.conv import num_downsamples
from keras_gen.networks.gan import packed_shape
from keras_gen.networks.upsampling import upsample

from .progressive_discriminator import ProgressiveDiscriminator
from .progressive_generator import ProgressiveGenerator

SLOPE = 0.2  # of the leaky ReLU below 0
MIN_SIDE, MAX_SIDE = 4, 7  # of the smallest resolution, in pixels


def resolutions(image_shape: Sequence[int], start_resolution: int | None = None) -> list[tuple[int, int]]:
    """Returns (height, width) of every stage, from the smallest to the image's own.

    Args:
        image_shape: (height, width, channels).
        start_resolution: Smaller side of the first stage in pixels. None is the smallest that halving reaches, 4 to 7
            pixels; the smaller side of the images gives a network that does not grow.

    Raises:
        ValueError: For sides that are not 4 to 7 pixels times one power of two, or a start_resolution that no stage
            has.

    Example:
        >>> resolutions((28, 28, 1))
        [(7, 7), (14, 14), (28, 28)]
    """
    height, width = image_shape[:2]
    steps = num_downsamples(height, width)
    if not MIN_SIDE <= min(height, width) >> steps <= MAX_SIDE:
        raise ValueError(
            "Expected images that can grow by doubling: the smaller side must be 4, 5, 6 or 7 pixels times a power of "
            f"two, and the larger one divisible by that power; received {height}x{width}. Choose a size such as 32, "
            "48, 64, 96, 128 or 48x64 (--image-size 64): images are cropped and resized to it"
        )
    sizes = [(height >> step, width >> step) for step in range(steps, -1, -1)]
    if start_resolution is None:
        return sizes
    sides = [min(size) for size in sizes]
    if start_resolution not in sides:
        raise ValueError(
            f"Expected start_resolution of {height}x{width} images as one of {', '.join(map(str, sides))}; received "
            f"{start_resolution!r}"
        )
    return sizes[sides.index(start_resolution) :]


def progressive_generator(
    size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int,
    full_width_resolution: int,
    start_resolution: int | None = None,
    upsampling: str = "resize",
    num_classes: int | None = None,
) -> ProgressiveGenerator:
    """Returns a generator from codes [batch, size] to images of a stage, around [0, 1] and not clipped.

    The code is scaled to the length sqrt(size). The smallest resolution has a dense layer and a 3x3 convolution; each
    further one has a convolution that doubles the size, and a 3x3 convolution. Leaky ReLU and pixelwise normalization
    follow each of these layers, and a linear 1x1 convolution computes the image. All layers have equalized learning
    rates.

    Args:
        size: Dimensions of the codes.
        image_shape: (height, width, channels) of the last stage; see `resolutions`.
        base_filters: Channels up to full_width_resolution, >= 1; 512 in the paper.
        full_width_resolution: Largest height in pixels with base_filters channels; they halve with each doubling above
            it. 32 in the paper.
        start_resolution: See `resolutions`.
        upsampling: How a convolution doubles the size: `"resize"` (the paper's: nearest-neighbor upsampling and a 3x3
            convolution), `"transposed"`, `"blur"` or `"subpixel"`; see `keras_gen.networks.upsampling.upsample`.
        num_classes: Number of classes, or None. With classes, the inputs are [codes, one-hot labels [batch,
            num_classes]].

    Raises:
        ValueError: As `resolutions`, and for an unknown upsampling.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, appendix A.1, table 2.
    """
    stages = resolutions(image_shape, start_resolution)
    all_sizes = resolutions(image_shape)
    code = keras.Input((size,), name="z")
    inputs, x = [code], PixelNormalization()(code)
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()([x, inputs[1]])
    height, width = all_sizes[0]
    channels = _channels(height, base_filters, full_width_resolution)
    # gain: as in the authors' code, which initializes this layer as the transpose of a 4x4 convolution
    x = EqualizedDense(height * width * channels, gain=2**0.5 / 4)(x)
    x = _normalize(layers.Reshape((height, width, channels))(x))
    x = _normalize(_conv(channels)(x))
    blocks, heads = [], []
    for height, width in all_sizes:
        if (height, width) != all_sizes[0]:
            if (height, width) in stages[1:]:
                x = keras.Input((height // 2, width // 2, x.shape[-1]), name="features")
                inputs = [x]
            channels = _channels(height, base_filters, full_width_resolution)
            x = _normalize(upsample(x, channels, upsampling=upsampling, equalized=True))
            x = _normalize(_conv(channels)(x))
        if (height, width) in stages:
            blocks.append(keras.Model(_single(inputs), x, name=f"generator_{height}x{width}"))
            heads.append(_to_image(x.shape[1:], image_shape[-1]))
    return ProgressiveGenerator(blocks, heads, name="generator")


def progressive_discriminator(
    image_shape: Sequence[int],
    *,
    base_filters: int,
    full_width_resolution: int,
    group_size: int,
    start_resolution: int | None = None,
    num_classes: int | None = None,
    packing: int = 1,
) -> ProgressiveDiscriminator:
    """Returns a discriminator from images [batch, height, width, packing * channels] of a stage to logits [batch, 1].

    A 1x1 convolution reads the image. Each resolution has two 3x3 convolutions and an average pooling of 2x2 pixels;
    the smallest one has the minibatch standard deviation, a 3x3 convolution and two dense layers instead. Activations
    are leaky ReLUs, without normalization. With classes, the logit is w . f(x) + y . V f(x), as in
    `keras_gen.networks.dcgan_discriminator`.

    Args:
        image_shape: (height, width, channels) of the last stage; see `resolutions`.
        base_filters: See `progressive_generator`.
        full_width_resolution: See `progressive_generator`.
        group_size: Images in a group of the minibatch standard deviation, see
            `keras_gen.layers.MinibatchStandardDeviation`; 4 in the paper.
        start_resolution: See `resolutions`.
        num_classes: Number of classes, or None. With classes, the inputs are [images, one-hot labels [batch, packing *
            num_classes]].
        packing: Images that are classified together, concatenated along the channels, >= 1.

    Raises:
        ValueError: As `resolutions`.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, appendix A.1, table 2. Miyato, Koyama 2018,
        arXiv:1802.05637 (classes).
    """
    stages, all_sizes = resolutions(image_shape, start_resolution), resolutions(image_shape)
    image_channels = packed_shape(image_shape, packing)[-1]
    blocks, heads = [], []
    for index, (height, width) in enumerate(all_sizes):
        channels = _channels(height, base_filters, full_width_resolution)
        if (height, width) in stages:
            heads.append(_from_image((height, width, image_channels), channels))
        name, inputs = f"discriminator_{height}x{width}", keras.Input((height, width, channels), name="features")
        if not index:
            blocks.append(_last_block(inputs, base_filters, group_size, packing * (num_classes or 0), name))
            continue
        x = _leaky(_conv(channels)(inputs))
        x = _leaky(_conv(_channels(height // 2, base_filters, full_width_resolution))(x))
        x = layers.AveragePooling2D(2)(x)
        if (height, width) in stages[1:]:
            blocks.append(keras.Model(inputs, x, name=name))
        else:  # up to the first stage, one block with the smaller resolutions
            smaller, label = blocks.pop(), [keras.Input((packing * num_classes,))] if num_classes else []
            blocks.append(keras.Model(_single([inputs, *label]), smaller(_single([x, *label])), name=name))
    return ProgressiveDiscriminator(blocks, heads, name="discriminator")


def _last_block(features: Any, base_filters: int, group_size: int, label_size: int, name: str) -> keras.Model:
    """Returns the network from features of the smallest resolution, and labels if label_size > 0, to logits."""
    x = MinibatchStandardDeviation(group_size)(features)
    x = _leaky(_conv(features.shape[-1])(x))
    x = _leaky(EqualizedDense(base_filters)(layers.Flatten()(x)))
    logit = EqualizedDense(1, gain=1.0, dtype="float32")(x)
    inputs = [features]
    if label_size:
        inputs.append(keras.Input((label_size,), name="label"))
        embedding = EqualizedDense(base_filters, gain=1.0, use_bias=False, dtype="float32")(inputs[1])
        logit = layers.Add(dtype="float32")([logit, layers.Dot(axes=1, dtype="float32")([x, embedding])])
    return keras.Model(_single(inputs), logit, name=name)


def _to_image(shape: Sequence[int], channels: int) -> keras.Model:
    features = keras.Input(tuple(shape), name="features")
    x = EqualizedConv2D(channels, 1, gain=1.0, dtype="float32")(features)
    x = layers.Rescaling(0.5, offset=0.5, dtype="float32")(x)
    return keras.Model(features, x, name=f"to_image_{shape[0]}x{shape[1]}")


def _from_image(shape: Sequence[int], channels: int) -> keras.Model:
    image = keras.Input(tuple(shape), name="image")
    x = _leaky(EqualizedConv2D(channels, 1)(layers.Rescaling(2.0, offset=-1.0)(image)))
    return keras.Model(image, x, name=f"from_image_{shape[0]}x{shape[1]}")


def _channels(height: int, base_filters: int, full_width_resolution: int) -> int:
    doublings = 0
    while height > 2 * full_width_resolution - 1:
        height, doublings = height // 2, doublings + 1
    return max(1, base_filters >> doublings)


def _conv(channels: int) -> EqualizedConv2D:
    return EqualizedConv2D(channels, 3, padding="same")


def _leaky(x: Any) -> Any:
    return layers.LeakyReLU(SLOPE)(x)


def _normalize(x: Any) -> Any:
    return PixelNormalization()(_leaky(x))


def _single(inputs: list) -> Any:
    return inputs[0] if len(inputs) == 1 else inputs
