"""The discriminator of patches: a map of logits, each for a part of the image."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.translator import normalize, weights

KERNEL = 4
MOST = 3  # num_downsamples of the paper's 70x70 patches


def patch_discriminator(
    image_shape: Sequence[int], *, base_filters: int = 64, num_downsamples: int | None = None, slope: float = 0.2
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> logits [batch, rows, columns, 1], one for each patch.

    `num_downsamples` convolutions of 4x4 and stride 2 with `base_filters`, 2 * `base_filters`, ... up to 8 * `base_filters` channels, one more of
    stride 1, and the logits' convolution of stride 1; instance normalization in all but the first and the last, and
    leaky ReLU. A logit sees `receptive_field(num_downsamples)` pixels each way: 70 with three num_downsamples, 34 with two, 16 with
    one.

    Args:
        image_shape: (height, width, channels); height and width may be None where `num_downsamples` is given.
        base_filters: channels of the first convolution.
        num_downsamples: None takes three from 256 pixels on, as the paper, two from 128 on and one below: a patch has about
            a quarter of the image's side.
        slope: of the leaky ReLU below 0.

    Raises:
        ValueError: for images that do not halve so often, or of unknown size without `num_downsamples`.

    Reference:
        Isola, Zhu, Zhou, Efros 2016, Image-to-Image Translation with Conditional Adversarial Networks,
        arXiv:1611.07004 (patches, sizes). Zhu et al. 2017, arXiv:1703.10593, appendix 7.2 (C64-C128-C256-C512).
    """
    side = None if None in image_shape[:2] else min(image_shape[:2])
    if num_downsamples is None:
        if side is None:
            raise ValueError(f"Images {tuple(image_shape)} have no size to follow: give num_downsamples")
        num_downsamples = min(MOST, max(1, int(math.log2(side / 32))))
    if not isinstance(num_downsamples, int) or num_downsamples < 1:
        raise ValueError(f"num_downsamples must be an integer >= 1; received {num_downsamples!r}")
    if side is not None and side >> num_downsamples < 2:
        raise ValueError(
            f"Images {tuple(image_shape)} are too small for {num_downsamples} num_downsamples: 2x2 logits are due"
        )
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(num_downsamples + 1):
        # normalization takes a bias away
        conv = layers.Conv2D(
            base_filters * min(2**step, 8), KERNEL, strides=2 if step < num_downsamples else 1, padding="same", use_bias=not step,
            **weights(),
        )  # fmt: skip
        x = conv(x)
        x = layers.LeakyReLU(slope)(normalize(x) if step else x)
    logits = layers.Conv2D(1, KERNEL, padding="same", dtype="float32", **weights())(x)
    return keras.Model(image, logits, name="discriminator")


def receptive_field(num_downsamples: int) -> int:
    """Pixels that a logit of `patch_discriminator` sees, each way.

    Example:
        >>> receptive_field(3)
        70
    """
    seen = 1
    for stride in [1, 1, *[2] * num_downsamples]:  # from the logit back to the image
        seen = stride * (seen - 1) + KERNEL
    return seen


def resized(network: keras.Model, size: Sequence[int], name: str | None = None) -> keras.Model:
    """A network of images of one size as a network of images of another: they are scaled bilinearly first.

    Args:
        network: images [batch, height, width, channels] -> anything.
        size: (height, width) of the images that shall go in; where they are the network's already, it is returned.
        name: the model's; None is the network's.

    Returns:
        A model of images [batch, *size, channels].
    """
    *own, channels = network.input_shape[1:]
    if tuple(own) == tuple(size):
        return network
    image = keras.Input((*size, channels), name="image")
    x = layers.Resizing(*own, dtype="float32")(image)
    return keras.Model(image, network(x), name=name or network.name)
