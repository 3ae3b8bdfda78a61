"""The U-Net: images to images of the same size, with a way past every halving."""

from collections.abc import Sequence

import keras
from keras import layers

from .conv import nearest_size
from .translator import normalize, weights

SMALLEST = 4  # instance normalization of a single pixel would leave nothing


def unet(
    image_shape: Sequence[int],
    channels: int | None = None,
    *,
    base_filters: int = 64,
    num_downsamples: int | None = None,
    slope: float = 0.2,
    masked: bool = False,
    name: str = "unet",
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> images in [0, 1] of the same height and width.

    Convolutions of 4x4 and stride 2 with `base_filters`, 2 * `base_filters`, ... up to 8 * `base_filters` channels and leaky ReLU, then as
    many transposed ones with ReLU; what comes up is joined with what went down at the same size. Instance
    normalization in all but the first and the last; a tanh at the end, rescaled to [0, 1]. Shapes pass along the
    joints unchanged, which suits domains that share them. (No dropout: nothing here draws noise by itself.)

    Args:
        image_shape: (height, width, channels); height and width may be None where `num_downsamples` is given: sides must
            then be multiples of 2 ** num_downsamples.
        channels: of the images that come out; None is as many as go in.
        base_filters: channels after the first convolution.
        num_downsamples: None halves as long as both sides stay even numbers of pixels and 4 or more are left.
        slope: of the leaky ReLU below 0.
        masked: a pixel that comes out is mask * color + (1 - mask) * the given pixel, by a mask in (0, 1): what shall
            not change need not be drawn. As the mask is one of pixels, there are two more convolutions, of 3x3 and
            `base_filters` / 2 channels, before the num_downsamples and after them. Not in the two papers but in GANimation.
        name: the model's.

    Raises:
        ValueError: for sides that do not halve so often, or a mask between other channels.

    Reference:
        Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597. Isola et al. 2016, arXiv:1611.07004, appendix (its
        sizes and places). Pumarola et al. 2018, GANimation, arXiv:1807.09251, equation 1 (the mask).
    """
    sides = tuple(image_shape[:2])
    if num_downsamples is None:
        if None in sides:
            raise ValueError(f"Images {tuple(image_shape)} have no size to follow: give num_downsamples")
        num_downsamples, rest = 0, sides
        while all(side % 2 == 0 and side // 2 >= SMALLEST for side in rest):
            num_downsamples, rest = num_downsamples + 1, tuple(side // 2 for side in rest)
    step = 2**num_downsamples
    if num_downsamples < 1 or any(side is not None and (side % step or side // step < 2) for side in sides):
        step = max(step, 2)
        raise ValueError(
            f"Images {tuple(image_shape)}: height and width must be multiples of {step} and at least {2 * step} "
            f"(num_downsamples={num_downsamples}), such as --image-size {nearest_size(image_shape, step, 2 * step)}"
        )
    channels = channels or image_shape[-1]
    if masked and channels != image_shape[-1]:
        raise ValueError(f"masked=True keeps parts of {image_shape[-1]} channels; received channels={channels}")
    image = keras.Input(tuple(image_shape), name="image")
    x, passed, whole = layers.Rescaling(2.0, offset=-1.0)(image), [], None
    if masked:
        x = whole = layers.LeakyReLU(slope)(layers.Conv2D(base_filters // 2, 3, padding="same", **weights())(x))
    for index in range(num_downsamples):
        down = layers.Conv2D(
            base_filters * min(2**index, 8), 4, strides=2, padding="same", use_bias=not index, **weights()
        )
        x = down(x)
        x = layers.LeakyReLU(slope)(normalize(x) if index else x)
        passed.append(x)
    for index in reversed(range(num_downsamples - 1)):
        up = layers.Conv2DTranspose(
            base_filters * min(2**index, 8), 4, strides=2, padding="same", use_bias=False, **weights()
        )  # fmt: skip
        x = layers.Concatenate()([layers.ReLU()(normalize(up(x))), passed[index]])
    last = {"padding": "same", "dtype": "float32"}
    if masked:
        up = layers.Conv2DTranspose(base_filters // 2, 4, strides=2, padding="same", **weights())
        x = layers.Concatenate()([layers.ReLU()(up(x)), whole])
        return keras.Model(image, _blend(image, layers.Conv2D(channels + 1, 3, **last, **weights())(x)), name=name)
    x = layers.Conv2DTranspose(channels, 4, strides=2, activation="tanh", **last, **weights())(x)
    return keras.Model(image, layers.Rescaling(0.5, offset=0.5, dtype="float32")(x), name=name)


def _blend(image, x):
    """The last channel of `x`, as a mask in (0, 1), lays its others, as colors in (0, 1), over the image."""
    colors, mask = keras.ops.split(layers.Activation("sigmoid", dtype="float32")(x), [x.shape[-1] - 1], axis=-1)
    change = layers.Multiply(dtype="float32", name="change")([mask, layers.Subtract(dtype="float32")([colors, image])])
    return layers.Add(dtype="float32")([image, change])
