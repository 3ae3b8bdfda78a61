"""The U-Net: a network from images to images of the same size with a skip connection at every resolution."""

from collections.abc import Sequence

import keras
from keras import layers

from . import conv
from .dcgan import normal_weights
from .translator import instance_normalization


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
    """Returns a network from images [batch, height, width, channels] in [0, 1] to images of the same size and range.

    4x4 convolutions of stride 2 with `base_filters`, 2 * `base_filters`, ... up to 8 * `base_filters` channels and
    leaky ReLU are followed by as many transposed convolutions with ReLU; skip connections concatenate features of the
    same size. All but the first and the last have instance normalization; a final tanh is rescaled to [0, 1]. Skip
    connections preserve shapes, which suits domains that share them. (Without dropout: no layer generates noise.)

    Args:
        image_shape: (height, width, channels); height and width may be None if `num_downsamples` is a number;
            sides must then be multiples of 2 ** num_downsamples.
        channels: channels of the output; None is those of the input.
        base_filters: channels after the first convolution.
        num_downsamples: convolutions of stride 2, >= 1; None halves while both sides are even and their halves >= 4.
        slope: slope of the leaky ReLU below 0.
        masked: whether an output pixel is mask * color + (1 - mask) * input pixel, with a mask in (0, 1), so that
            unchanged regions need not be generated. Untrained colors are near the input. Because the mask has the full
            resolution, there are two more 3x3 convolutions, one of `base_filters` / 2 channels before the downsampling
            and one after the upsampling. As in GANimation, but in neither of the other papers.
        name: name of the model.

    Raises:
        ValueError: for sides that cannot be halved `num_downsamples` times, or `masked` with other channels.

    Reference:
        Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597. Isola et al. 2016, arXiv:1611.07004, appendix (the
        architecture). Pumarola et al. 2018, GANimation, arXiv:1807.09251, equation 1 (the mask).
    """
    sides = tuple(image_shape[:2])
    if num_downsamples is None:
        if None in sides:
            raise ValueError(f"Expected num_downsamples for images of any size; received None for {tuple(image_shape)}")
        num_downsamples = conv.num_downsamples(*sides)
    step = 2**num_downsamples
    if num_downsamples < 1 or any(side is not None and (side % step or side // step < 2) for side in sides):
        step = max(step, 2)
        nearest = conv.nearest_size(image_shape, step, 2 * step)
        raise ValueError(
            f"Expected height and width that are multiples of {step} and at least {2 * step} "
            f"(num_downsamples={num_downsamples}), such as --image-size {nearest}; "
            f"received {tuple(image_shape)}"
        )
    channels = channels or image_shape[-1]
    if masked and channels != image_shape[-1]:
        raise ValueError(f"Expected channels={image_shape[-1]} for masked=True; received channels={channels}")
    image = keras.Input(tuple(image_shape), name="image")
    x, skips, full_size = layers.Rescaling(2.0, offset=-1.0)(image), [], None
    if masked:
        x = full_size = layers.LeakyReLU(slope)(
            layers.Conv2D(base_filters // 2, 3, padding="same", **normal_weights())(x)
        )
    for index in range(num_downsamples):
        down = layers.Conv2D(
            base_filters * min(2**index, 8), 4, strides=2, padding="same", use_bias=not index, **normal_weights()
        )
        x = down(x)
        x = layers.LeakyReLU(slope)(instance_normalization(x) if index else x)
        skips.append(x)
    for index in reversed(range(num_downsamples - 1)):
        up = layers.Conv2DTranspose(
            base_filters * min(2**index, 8), 4, strides=2, padding="same", use_bias=False, **normal_weights()
        )  # fmt: skip
        x = layers.Concatenate()([layers.ReLU()(instance_normalization(up(x))), skips[index]])
    last = {"padding": "same", "dtype": "float32"}
    if masked:
        up = layers.Conv2DTranspose(base_filters // 2, 4, strides=2, padding="same", **normal_weights())
        x = layers.Concatenate()([layers.ReLU()(up(x)), full_size])
        return keras.Model(
            image, _blend(image, layers.Conv2D(channels + 1, 3, **last, **normal_weights())(x)), name=name
        )
    x = layers.Conv2DTranspose(channels, 4, strides=2, activation="tanh", **last, **normal_weights())(x)
    return keras.Model(image, layers.Rescaling(0.5, offset=0.5, dtype="float32")(x), name=name)


def _blend(image: keras.KerasTensor, x: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the image blended with the colors in `x`, whose last channel is the logit of the mask.

    The logits of the colors are added to 4 * image - 2, with which colors begin near the image. If they begin at gray,
    the first updates for the cycle consistency loss close the mask, and a closed mask has hardly any gradient.
    """
    logits, mask = keras.ops.split(x, [x.shape[-1] - 1], axis=-1)
    logits = layers.Add(dtype="float32")([layers.Rescaling(4.0, offset=-2.0, dtype="float32")(image), logits])
    colors, mask = (layers.Activation("sigmoid", dtype="float32")(each) for each in (logits, mask))
    change = layers.Multiply(dtype="float32", name="change")([mask, layers.Subtract(dtype="float32")([colors, image])])
    return layers.Add(dtype="float32")([image, change])
