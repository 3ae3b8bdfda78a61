"""The U-Net: images to images of the same size, with a way past every halving."""

from collections.abc import Sequence

import keras
from keras import layers

from .translator import normalize, weights

SMALLEST = 4  # instance normalization of a single pixel would leave nothing


def unet(
    image_shape: Sequence[int],
    channels: int | None = None,
    *,
    width: int = 64,
    halvings: int | None = None,
    slope: float = 0.2,
    name: str = "unet",
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> images in [0, 1] of the same height and width.

    Convolutions of 4x4 and stride 2 with `width`, 2 * `width`, ... up to 8 * `width` channels and leaky ReLU, then as
    many transposed ones with ReLU; what comes up is joined with what went down at the same size. Instance
    normalization in all but the first and the last; a tanh at the end, rescaled to [0, 1]. Shapes pass along the
    joints unchanged, which suits domains that share them. (No dropout: nothing here draws noise by itself.)

    Args:
        image_shape: (height, width, channels); height and width may be None where `halvings` is given: sides must
            then be multiples of 2 ** halvings.
        channels: of the images that come out; None is as many as go in.
        width: channels after the first convolution.
        halvings: None halves as long as both sides stay even numbers of pixels and 4 or more are left.
        slope: of the leaky ReLU below 0.
        name: the model's.

    Raises:
        ValueError: for sides that do not halve so often.

    Reference:
        Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597. Isola et al. 2016, arXiv:1611.07004, appendix (its
        sizes and places).
    """
    sides = tuple(image_shape[:2])
    if halvings is None:
        if None in sides:
            raise ValueError(f"Images {tuple(image_shape)} have no size to follow: give halvings")
        halvings, rest = 0, sides
        while all(side % 2 == 0 and side // 2 >= SMALLEST for side in rest):
            halvings, rest = halvings + 1, tuple(side // 2 for side in rest)
    step = 2**halvings
    if halvings < 1 or any(side is not None and (side % step or side // step < 2) for side in sides):
        raise ValueError(
            f"Images {tuple(image_shape)}: height and width must be multiples of {max(step, 2)} and at least "
            f"{2 * max(step, 2)} (halvings={halvings})"
        )
    image = keras.Input(tuple(image_shape), name="image")
    x, passed = layers.Rescaling(2.0, offset=-1.0)(image), []
    for index in range(halvings):
        down = layers.Conv2D(width * min(2**index, 8), 4, strides=2, padding="same", use_bias=not index, **weights())
        x = down(x)
        x = layers.LeakyReLU(slope)(normalize(x) if index else x)
        passed.append(x)
    for index in reversed(range(halvings - 1)):
        up = layers.Conv2DTranspose(
            width * min(2**index, 8), 4, strides=2, padding="same", use_bias=False, **weights()
        )  # fmt: skip
        x = layers.Concatenate()([layers.ReLU()(normalize(up(x))), passed[index]])
    last = layers.Conv2DTranspose(
        channels or image_shape[-1], 4, strides=2, padding="same", activation="tanh", dtype="float32", **weights()
    )
    return keras.Model(image, layers.Rescaling(0.5, offset=0.5, dtype="float32")(last(x)), name=name)
