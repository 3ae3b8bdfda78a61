"""CycleGAN's discriminator of patches, and generators between images of different sizes."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.dcgan import normal_weights
from keras_gen.networks.translator import instance_normalization

KERNEL = 4
MAX_DOWNSAMPLES = 3  # of the paper's 70x70 patches


def patch_discriminator(
    image_shape: Sequence[int | None],
    *,
    base_filters: int = 64,
    num_downsamples: int | None = None,
    slope: float = 0.2,
) -> keras.Model:
    """Builds a network from images in [0, 1] to logits [batch, rows, columns, 1], one for each patch.

    `num_downsamples` convolutions of 4x4 with stride 2 have `base_filters`, 2 * `base_filters`, ... up to 8 *
    `base_filters` channels; the last two convolutions, of which the second computes the logits, have stride 1. All but
    the first and the last have instance normalization, and all but the last a leaky ReLU. The receptive field of a
    logit is `receptive_field(num_downsamples)` pixels in each direction: 70 with three downsampling layers, 34 with
    two, 16 with one.

    Args:
        image_shape: (height, width, channels); height and width may be None if `num_downsamples` is a number.
        base_filters: channels of the first convolution.
        num_downsamples: number of convolutions with stride 2, >= 1; None is 3 from 256 pixels on, as in the paper, 2
            from 128 on and else 1: a patch is about a quarter of the image wide.
        slope: slope of the leaky ReLU below 0.

    Raises:
        ValueError: for images that are too small, or of any size without `num_downsamples`.

    Reference:
        Isola, Zhu, Zhou, Efros 2016, Image-to-Image Translation with Conditional Adversarial Networks,
        arXiv:1611.07004 (patches, sizes). Zhu et al. 2017, arXiv:1703.10593, appendix 7.2 (C64-C128-C256-C512).
    """
    sides = [side for side in image_shape[:2] if side is not None]
    side = min(sides) if len(sides) == 2 else None
    if num_downsamples is None:
        if side is None:
            raise ValueError(f"Expected num_downsamples for images of any size, {tuple(image_shape)}; received None")
        num_downsamples = min(MAX_DOWNSAMPLES, max(1, int(math.log2(side / 32))))
    if not isinstance(num_downsamples, int) or num_downsamples < 1:
        raise ValueError(f"Expected num_downsamples as an integer >= 1; received {num_downsamples!r}")
    if side is not None and side >> num_downsamples < 2:
        raise ValueError(
            f"Expected images of {2 << num_downsamples} pixels or more, for 2x2 logits with num_downsamples="
            f"{num_downsamples}; received {tuple(image_shape)}"
        )
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(num_downsamples + 1):
        filters, strides = base_filters * min(2**step, 8), 2 if step < num_downsamples else 1
        # normalization would remove a bias
        conv = layers.Conv2D(filters, KERNEL, strides=strides, padding="same", use_bias=not step, **normal_weights())
        x = conv(x)
        x = layers.LeakyReLU(slope)(instance_normalization(x) if step else x)
    logits = layers.Conv2D(1, KERNEL, padding="same", dtype="float32", **normal_weights())(x)
    return keras.Model(image, logits, name="discriminator")


def receptive_field(num_downsamples: int) -> int:
    """Returns the receptive field of a logit of `patch_discriminator`: pixels in each direction.

    Example:
        >>> receptive_field(3)
        70
    """
    pixels = 1
    for stride in [1, 1, *[2] * num_downsamples]:  # from the logit back to the image
        pixels = stride * (pixels - 1) + KERNEL
    return pixels


def resized(network: keras.Model, size: Sequence[int], name: str | None = None) -> keras.Model:
    """Returns the network for images of another size, which are resized bilinearly first.

    Args:
        network: network from images [batch, height, width, channels] to any output.
        size: (height, width) of the images; if the network has this size already, it is returned.
        name: name of the model; None is the name of the network.

    Returns:
        a model of images [batch, *size, channels].
    """
    height, width, channels = network.input_shape[1:]
    if (height, width) == tuple(size):
        return network
    image = keras.Input((*size, channels), name="image")
    x = layers.Resizing(height, width, dtype="float32")(image)
    return keras.Model(image, network(x), name=name or network.name)
