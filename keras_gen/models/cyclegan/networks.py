"""The discriminator of patches: a map of logits, each for a part of the image."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.translator import normalize, weights

KERNEL = 4
MOST = 3  # halvings of the paper's 70x70 patches


def patch_discriminator(
    image_shape: Sequence[int], *, width: int = 64, halvings: int | None = None, slope: float = 0.2
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> logits [batch, rows, columns, 1], one for each patch.

    `halvings` convolutions of 4x4 and stride 2 with `width`, 2 * `width`, ... up to 8 * `width` channels, one more of
    stride 1, and the logits' convolution of stride 1; instance normalization in all but the first and the last, and
    leaky ReLU. A logit sees `receptive_field(halvings)` pixels each way: 70 with three halvings, 34 with two, 16 with
    one.

    Args:
        image_shape: (height, width, channels); height and width may be None where `halvings` is given.
        width: channels of the first convolution.
        halvings: None takes three from 256 pixels on, as the paper, two from 128 on and one below: a patch has about
            a quarter of the image's side.
        slope: of the leaky ReLU below 0.

    Raises:
        ValueError: for images that do not halve so often, or of unknown size without `halvings`.

    Reference:
        Isola, Zhu, Zhou, Efros 2016, Image-to-Image Translation with Conditional Adversarial Networks,
        arXiv:1611.07004 (patches, sizes). Zhu et al. 2017, arXiv:1703.10593, appendix 7.2 (C64-C128-C256-C512).
    """
    side = None if None in image_shape[:2] else min(image_shape[:2])
    if halvings is None:
        if side is None:
            raise ValueError(f"Images {tuple(image_shape)} have no size to follow: give halvings")
        halvings = min(MOST, max(1, int(math.log2(side / 32))))
    if not isinstance(halvings, int) or halvings < 1:
        raise ValueError(f"halvings must be an integer >= 1; received {halvings!r}")
    if side is not None and side >> halvings < 2:
        raise ValueError(f"Images {tuple(image_shape)} are too small for {halvings} halvings: 2x2 logits are due")
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(halvings + 1):
        # normalization takes a bias away
        conv = layers.Conv2D(
            width * min(2**step, 8), KERNEL, strides=2 if step < halvings else 1, padding="same", use_bias=not step,
            **weights(),
        )  # fmt: skip
        x = conv(x)
        x = layers.LeakyReLU(slope)(normalize(x) if step else x)
    logits = layers.Conv2D(1, KERNEL, padding="same", dtype="float32", **weights())(x)
    return keras.Model(image, logits, name="discriminator")


def receptive_field(halvings: int) -> int:
    """Pixels that a logit of `patch_discriminator` sees, each way.

    Example:
        >>> receptive_field(3)
        70
    """
    seen = 1
    for stride in [1, 1, *[2] * halvings]:  # from the logit back to the image
        seen = stride * (seen - 1) + KERNEL
    return seen
