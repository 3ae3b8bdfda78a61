"""The residual network that turns images into images of the same size: CycleGAN's and StarGAN's generator."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.layers import AttributePlanes, ReflectionPadding2D

from .conv import nearest_size

PADDINGS = ("reflect", "zero")
CONDITIONINGS = ("planes", "normalization")


def residual_translator(
    image_shape: Sequence[int],
    channels: int | None = None,
    *,
    base_filters: int = 64,
    blocks: int = 6,
    num_downsamples: int = 2,
    padding: str = "reflect",
    num_attributes: int = 0,
    conditioning: str = "planes",
    residual: bool = False,
    name: str = "translator",
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> images in [0, 1] of the same height and width.

    A convolution of 7x7, `num_downsamples` convolutions of stride 2 that double the channels, residual blocks of two 3x3
    convolutions, as many upsampling steps, and a convolution of 7x7 that ends in a tanh, rescaled to [0, 1]. Instance
    normalization and ReLU after every convolution but the last. With `num_attributes` the model takes [images,
    attributes [batch, num_attributes]].

    Args:
        image_shape: (height, width, channels); height and width may be None for images of any size, whose sides must
            be multiples of 2 ** num_downsamples.
        channels: of the images that come out; None is as many as go in.
        base_filters: channels after the first convolution.
        blocks: residual blocks; 6 for images of 128 pixels, 9 from 256 on in the paper.
        num_downsamples: how often the size is halved inside, >= 0; the paper has 2.
        padding: `"reflect"` (of the image at its borders, as CycleGAN) or `"zero"` (as StarGAN).
        num_attributes: length of the target's attributes, or 0.
        conditioning: how attributes come in. `"planes"`: beside the colors at every pixel, as in StarGAN; the first
            convolution is then not normalized (in its table it is), which would take away what is the same at every
            pixel. `"normalization"`: scale and shift of every normalization are linear in them.
        residual: the last layer makes a change in (-1, 1), which is added to the given image and cut at 0 and 1: what
            should stay need not be drawn anew. In neither of the two papers; needs as many channels out as in.
        name: the model's.

    Raises:
        ValueError: for sides that do not halve so often, an unknown padding or conditioning, or a residual of other
            channels.

    Reference:
        Zhu, Park, Isola, Efros 2017, arXiv:1703.10593, appendix 7.2 (c7s1-64, d128, d256, R256, u128, u64, c7s1-3).
        Choi et al. 2018, StarGAN, arXiv:1711.09020, appendix, table 4 (transposed convolutions of 4x4, attributes).
        Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155 (the network). Ulyanov, Vedaldi, Lempitsky 2016,
        arXiv:1607.08022 (instance normalization). Dumoulin, Shlens, Kudlur 2017, arXiv:1610.07629 (conditional instance
        normalization).
    """
    if padding not in PADDINGS:
        raise ValueError(f"Unknown padding {padding!r}: expected one of {', '.join(PADDINGS)}")
    if conditioning not in CONDITIONINGS:
        raise ValueError(f"Unknown conditioning {conditioning!r}: expected one of {', '.join(CONDITIONINGS)}")
    if residual and channels not in (None, image_shape[-1]):
        raise ValueError(f"residual=True changes images of {image_shape[-1]} channels; received channels={channels}")
    step = 2**num_downsamples
    for side in image_shape[:2]:
        if side is not None and (side % step or side // step < 3):
            raise ValueError(
                f"Images {tuple(image_shape)}: height and width must be multiples of {step} and at least {3 * step} "
                f"(num_downsamples={num_downsamples}), such as --image-size {nearest_size(image_shape, step, 3 * step)}"
            )
    image = keras.Input(tuple(image_shape), name="image")
    inputs, x, told = image, layers.Rescaling(2.0, offset=-1.0)(image), None
    if num_attributes:
        attributes = keras.Input((num_attributes,), name="attributes")
        inputs, told = [image, attributes], attributes if conditioning == "normalization" else None
    if num_attributes and conditioning == "planes":
        # normalized per image, planes that are the same everywhere would be gone, all but for the borders' padding
        x = layers.ReLU()(_same(AttributePlanes()([x, attributes]), base_filters, 7, padding, use_bias=True))
    else:
        x = _after(_same(x, base_filters, 7, padding), told)
    for index in range(num_downsamples):
        down = layers.Conv2D(base_filters * 2 ** (index + 1), 3, strides=2, padding="same", use_bias=False, **weights())
        x = _after(down(x), told)
    for _ in range(blocks):
        inner = _after(_same(x, x.shape[-1], 3, padding), told)
        x = layers.Add()([x, normalize(_same(inner, x.shape[-1], 3, padding), told)])
    for index in reversed(range(num_downsamples)):
        # 4 is a multiple of the stride, which leaves no checkerboard (StarGAN has 4, CycleGAN 3)
        up = layers.Conv2DTranspose(base_filters * 2**index, 4, strides=2, padding="same", use_bias=False, **weights())
        x = _after(up(x), told)
    if residual:
        # small weights: at the start the image is almost the given one
        start = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.002)}
        change = _same(x, image_shape[-1], 7, padding, activation="tanh", use_bias=True, dtype="float32", **start)
        made = layers.ReLU(max_value=1.0, dtype="float32")(layers.Add(dtype="float32")([image, change]))
        return keras.Model(inputs, made, name=name)
    x = _same(x, channels or image_shape[-1], 7, padding, activation="tanh", use_bias=True, dtype="float32")
    return keras.Model(inputs, layers.Rescaling(0.5, offset=0.5, dtype="float32")(x), name=name)


def normalize(x, attributes=None):
    """Instance normalization of a Keras tensor [batch, height, width, channels].

    One scale and shift for each channel are learned; with `attributes` [batch, n] both are linear in these.
    """
    if attributes is None:
        return layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
    channels = x.shape[-1]
    scale = layers.Dense(channels, bias_initializer="ones", **weights())(attributes)
    shift = layers.Dense(channels, **weights())(attributes)
    x = layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)
    x = layers.Multiply()([x, layers.Reshape((1, 1, channels))(scale)])
    return layers.Add()([x, layers.Reshape((1, 1, channels))(shift)])


def weights() -> dict:
    """Weights from N(0, 0.02), as both papers' code."""
    # a new initializer each time: one that is called twice gives the same numbers twice
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}


def _after(x, attributes=None):
    return layers.ReLU()(normalize(x, attributes))


def _same(x, channels: int, kernel: int, padding: str, use_bias: bool = False, **options):
    """A convolution that keeps the size."""
    if padding == "reflect":
        x = ReflectionPadding2D(kernel // 2)(x)
    how = "valid" if padding == "reflect" else "same"
    return layers.Conv2D(channels, kernel, padding=how, use_bias=use_bias, **{**weights(), **options})(x)
