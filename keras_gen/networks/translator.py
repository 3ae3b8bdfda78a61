"""A residual network from images to images of the same size: the generator of CycleGAN and StarGAN."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gen.layers import AttributePlanes, ReflectionPadding2D

from .conv import nearest_size
from .dcgan import normal_weights

PADDINGS = ("reflect", "zero")
CONDITIONINGS = ("planes", "normalization")


def residual_translator(
    image_shape: Sequence[int],
    channels: int | None = None,
    *,
    base_filters: int = 64,
    blocks: int = 6,
    num_downsamples: int = 2,
    down_kernel: int = 3,
    up_kernel: int = 4,
    padding: str = "reflect",
    num_attributes: int = 0,
    conditioning: str = "planes",
    residual: bool = False,
    name: str = "translator",
) -> keras.Model:
    """Returns a network from images [batch, height, width, channels] in [0, 1] to images of the same size and range.

    It has a 7x7 convolution, `num_downsamples` convolutions of stride 2 that double the channels, residual blocks of
    two 3x3 convolutions, as many upsampling steps, and a 7x7 convolution with a tanh that is rescaled to [0, 1].
    Instance normalization and ReLU follow every convolution but the last. With `num_attributes` the inputs are [images,
    attributes [batch, num_attributes]].

    Args:
        image_shape: (height, width, channels); height and width may be None for images of any size, whose sides must
            be multiples of 2 ** num_downsamples.
        channels: channels of the output; None is those of the input.
        base_filters: channels after the first convolution.
        blocks: residual blocks; 6 for images of 128 pixels, 9 for 256 or more in the paper.
        num_downsamples: convolutions of stride 2, >= 0; 2 in the paper.
        down_kernel: size of their kernels; 3 in CycleGAN, 4 in StarGAN.
        up_kernel: size of the kernels of the upsampling steps; 3 in CycleGAN, 4 in StarGAN. A multiple of the stride
            avoids checkerboard artifacts.
        padding: `"reflect"` (as in CycleGAN) or `"zero"` (as in StarGAN).
        num_attributes: number of target attributes, or 0.
        conditioning: how the network is conditioned on attributes. `"planes"`: they are concatenated to the colors of
            every pixel, as in StarGAN; the first convolution is then not normalized (in StarGAN it is), because
            normalization would remove constant planes. `"normalization"`: scale and shift of every normalization are
            linear in the attributes.
        residual: whether the last layer outputs a change in (-1, 1), which is added to the input image and clipped to
            [0, 1], so that unchanged regions need not be generated. In neither of the two papers; needs as many
            output as input channels.
        name: name of the model.

    Raises:
        ValueError: for sides that cannot be halved `num_downsamples` times, an unknown padding or conditioning, or
            `residual` with another number of channels.

    Reference:
        Zhu, Park, Isola, Efros 2017, arXiv:1703.10593, appendix 7.2 (c7s1-64, d128, d256, R256, u128, u64, c7s1-3).
        Choi et al. 2018, StarGAN, arXiv:1711.09020, appendix, table 4 (transposed convolutions of 4x4, attributes).
        Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155 (the network). Ulyanov, Vedaldi, Lempitsky 2016,
        arXiv:1607.08022 (instance normalization). Dumoulin, Shlens, Kudlur 2017, arXiv:1610.07629 (conditional instance
        normalization).
    """
    if padding not in PADDINGS:
        raise ValueError(f"Expected padding as one of {', '.join(PADDINGS)}; received {padding!r}")
    if conditioning not in CONDITIONINGS:
        raise ValueError(f"Expected conditioning as one of {', '.join(CONDITIONINGS)}; received {conditioning!r}")
    if residual and channels not in (None, image_shape[-1]):
        raise ValueError(f"Expected channels={image_shape[-1]} for residual=True; received channels={channels}")
    step = 2**num_downsamples
    for side in image_shape[:2]:
        if side is not None and (side % step or side // step < 3):
            raise ValueError(
                f"Expected height and width that are multiples of {step} and at least {3 * step} "
                f"(num_downsamples={num_downsamples}), such as --image-size "
                f"{nearest_size(image_shape, step, 3 * step)}; received {tuple(image_shape)}"
            )
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x, condition = image, layers.Rescaling(2.0, offset=-1.0)(image), None
    if num_attributes:
        attributes = keras.Input((num_attributes,), name="attributes")
        inputs, condition = [image, attributes], attributes if conditioning == "normalization" else None
    if num_attributes and conditioning == "planes":
        # instance normalization would remove constant planes, except for the effect of the padding
        x = layers.ReLU()(_conv(AttributePlanes()([x, attributes]), base_filters, 7, padding, use_bias=True))
    else:
        x = _norm_relu(_conv(x, base_filters, 7, padding), condition)
    for index in range(num_downsamples):
        down = layers.Conv2D(
            base_filters * 2 ** (index + 1), down_kernel, strides=2, padding="same", use_bias=False, **normal_weights()
        )
        x = _norm_relu(down(x), condition)
    for _ in range(blocks):
        inner = _norm_relu(_conv(x, x.shape[-1], 3, padding), condition)
        x = layers.Add()([x, instance_normalization(_conv(inner, x.shape[-1], 3, padding), condition)])
    for index in reversed(range(num_downsamples)):
        up = layers.Conv2DTranspose(
            base_filters * 2**index, up_kernel, strides=2, padding="same", use_bias=False, **normal_weights()
        )
        x = _norm_relu(up(x), condition)
    if residual:
        # small weights: the initial output is close to the input
        small = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.002)}
        change = _conv(x, image_shape[-1], 7, padding, activation="tanh", use_bias=True, dtype="float32", **small)
        outputs = layers.ReLU(max_value=1.0, dtype="float32")(layers.Add(dtype="float32")([image, change]))
        return keras.Model(inputs, outputs, name=name)
    x = _conv(x, channels or image_shape[-1], 7, padding, activation="tanh", use_bias=True, dtype="float32")
    return keras.Model(inputs, layers.Rescaling(0.5, offset=0.5, dtype="float32")(x), name=name)


def instance_normalization(x: keras.KerasTensor, attributes: keras.KerasTensor | None = None) -> keras.KerasTensor:
    """Returns the instance normalization of a Keras tensor [batch, height, width, channels].

    Each channel has a learned scale and shift; with `attributes` [batch, n] both are linear in the attributes.
    """
    if attributes is None:
        return layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
    channels = x.shape[-1]
    scale = layers.Dense(channels, bias_initializer="ones", **normal_weights())(attributes)
    shift = layers.Dense(channels, **normal_weights())(attributes)
    x = layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)
    x = layers.Multiply()([x, layers.Reshape((1, 1, channels))(scale)])
    return layers.Add()([x, layers.Reshape((1, 1, channels))(shift)])


def _norm_relu(x: keras.KerasTensor, attributes: keras.KerasTensor | None = None) -> keras.KerasTensor:
    return layers.ReLU()(instance_normalization(x, attributes))


def _conv(
    x: keras.KerasTensor, channels: int, kernel: int, padding: str, use_bias: bool = False, **options: Any
) -> keras.KerasTensor:
    """Returns the output of a convolution that preserves the image size."""
    if padding == "reflect":
        x = ReflectionPadding2D(kernel // 2)(x)
    conv_padding = "valid" if padding == "reflect" else "same"
    return layers.Conv2D(channels, kernel, padding=conv_padding, use_bias=use_bias, **{**normal_weights(), **options})(
        x
    )
