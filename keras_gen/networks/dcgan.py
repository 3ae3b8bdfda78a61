"""The convolutional generator and discriminator of DCGAN, with a depth that depends on the image size."""

import functools
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.layers import SpectralConv2D, SpectralDense

from .conv import convolution_steps
from .gan import packed_shape
from .normalization import apply_normalization
from .upsampling import upsample


def dcgan_generator(
    size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    kernel: int = 4,
    upsampling: str = "transposed",
    dense_units: int | None = None,
    num_classes: int | None = None,
) -> keras.Model:
    """Returns a generator: noise [batch, size] -> images [batch, height, width, channels] in [0, 1].

    A linear projection is followed by convolutions that double the size, with batch normalization and ReLU; the last
    one has a tanh instead, which is rescaled to [0, 1]. For 64x64: 8, 4, 2 and 1 times `base_filters` channels at 4x4
    to 32x32.

    Args:
        size: dimensions of the noise.
        image_shape: (height, width, channels); height and width must be even, and their halves >= 4.
        base_filters: channels before the last layer; 128 in the paper's figure 1.
        kernel: size of the kernels. The paper's figure shows 5; 4 is a multiple of the stride, which weakens
            checkerboard artifacts and costs a third less.
        upsampling: how a convolution doubles the size: "transposed" (the paper's), "resize", "blur" or "subpixel"; see
            `keras_gen.networks.upsampling.upsample`, also for the size of their kernels.
        dense_units: units of a hidden dense layer before the projection; InfoGAN has 1024, DCGAN none.
        num_classes: number of classes of a model with the inputs [noise, one-hot labels [batch, num_classes]].

    Raises:
        ValueError: for a size that cannot be halved, or an unknown upsampling.

    Reference:
        Radford, Metz, Chintala 2015, arXiv:1511.06434, section 3 (architecture), figure 1, section 4 (weights from
        N(0, 0.02)).
        Odena, Dumoulin, Olah 2016, Deconvolution and Checkerboard Artifacts, doi:10.23915/distill.00003.
    """
    steps, (height, columns, channels) = convolution_steps(image_shape), image_shape
    noise = keras.Input((size,), name="z")
    inputs, x = [noise], noise
    if num_classes:
        inputs.append(keras.Input((num_classes,), name="label"))
        x = layers.Concatenate()(inputs)
    small = (height >> steps, columns >> steps, base_filters * min(2 ** (steps - 1), 8))
    if dense_units:
        x = layers.Dense(dense_units, use_bias=False, **normal_weights())(x)
        x = layers.ReLU()(apply_normalization(x, "batch"))
    x = layers.Dense(small[0] * small[1] * small[2], use_bias=False, **normal_weights())(x)
    x = layers.ReLU()(apply_normalization(layers.Reshape(small)(x), "batch"))
    up = functools.partial(upsample, upsampling=upsampling, kernel=kernel)
    for step in reversed(range(steps - 1)):
        x = up(x, base_filters * min(2**step, 8), use_bias=False, **normal_weights())
        x = layers.ReLU()(apply_normalization(x, "batch"))
    x = up(x, channels, activation="tanh", dtype="float32", **normal_weights())
    x = layers.Rescaling(0.5, offset=0.5, dtype="float32")(x)
    return keras.Model(inputs if num_classes else noise, x, name="generator")


def dcgan_discriminator(
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    kernel: int = 4,
    normalization: str = "batch",
    slope: float = 0.2,
    dense_units: int | None = None,
    num_classes: int | None = None,
    packing: int = 1,
) -> keras.Model:
    """Returns a discriminator: images [batch, height, width, packing * channels] in [0, 1] -> logits [batch, 1].

    The logits are the log-odds of real. Convolutions of stride 2 with leaky ReLU, one per halving of the size, have
    `base_filters`, 2 * `base_filters`, ... up to 8 * `base_filters` channels, with normalization in all but the first,
    and a linear unit follows. With classes, the logit is w . f(x) + y . V f(x) (projection): a label that is
    concatenated to the features of a linear unit would only shift its logit.

    Args:
        image_shape: (height, width, channels) of one image; height and width must be even, and their halves >= 4.
        base_filters: channels of the first convolution.
        kernel: size of the kernels.
        normalization: "batch" (synchronized over replicas), "layer" (over all of an image's features, with one scale
            for each channel), "spectral" (of the weights of every layer instead of features) or
            "none". A gradient penalty is a function of one example, so it does not work with "batch".
        slope: slope of the leaky ReLU below 0.
        dense_units: units of a hidden dense layer before the last; InfoGAN has 1024, DCGAN none.
        num_classes: number of classes of a model with the inputs [images, one-hot labels [batch,
            packing * num_classes]].
        packing: number of images that are classified jointly, concatenated along the channels, as are their labels
            (PacGAN).

    Raises:
        ValueError: for a size that cannot be halved, an unknown normalization, or packing < 1.

    Reference:
        Radford, Metz, Chintala 2015, arXiv:1511.06434, sections 3 and 4.
        Gulrajani et al. 2017, arXiv:1704.00028, section 4 (no batch normalization with a penalty).
        Miyato, Koyama 2018, cGANs with Projection Discriminator, arXiv:1802.05637.
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957.
        Lin, Khetan, Fanti, Oh 2017, PacGAN, arXiv:1712.04086, section 2.
    """
    convolution_steps(image_shape)  # raises before the shape is widened
    image = keras.Input(packed_shape(image_shape, packing), name="image")
    inputs = [image]
    x = discriminator_features(image, base_filters, kernel, normalization, slope, dense_units)
    dense_layer = SpectralDense if normalization == "spectral" else layers.Dense
    logit = dense_layer(1, dtype="float32", **normal_weights())(x)
    if num_classes:
        inputs.append(keras.Input((packing * num_classes,), name="label"))
        rows = dense_layer(x.shape[-1], use_bias=False, dtype="float32", **normal_weights())(inputs[1])
        logit = layers.Add(dtype="float32")([logit, layers.Dot(axes=1, dtype="float32")([x, rows])])
    return keras.Model(inputs if num_classes else image, logit, name="discriminator")


def discriminator_features(
    image: keras.KerasTensor, base_filters: int, kernel: int, normalization: str, slope: float, dense_units: int | None
) -> keras.KerasTensor:
    """Returns what `dcgan_discriminator` computes before its logits, as a Keras tensor [batch, features].

    Args:
        image: images in [0, 1], [batch, height, width, channels].
        base_filters: as in `dcgan_discriminator`, like the other arguments.
        kernel: side of the kernels.
        normalization: one of `keras_gen.networks.normalization.NORMALIZATIONS`.
        slope: slope of the leaky ReLUs at negative values.
        dense_units: units of a hidden dense layer at the end, or None for none.
    """
    steps = convolution_steps(image.shape[1:])
    spectral = normalization == "spectral"
    convolution, dense_layer = (SpectralConv2D, SpectralDense) if spectral else (layers.Conv2D, layers.Dense)
    with_bias = ("none", "spectral")  # any other normalization removes the bias
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(steps):
        kind = normalization if step else "none"
        channels = base_filters * min(2**step, 8)
        x = convolution(channels, kernel, strides=2, padding="same", use_bias=kind in with_bias, **normal_weights())(x)
        x = layers.LeakyReLU(slope)(apply_normalization(x, kind))
    x = layers.Flatten()(x)
    if dense_units:
        x = dense_layer(dense_units, use_bias=normalization in with_bias, **normal_weights())(x)
        x = layers.LeakyReLU(slope)(apply_normalization(x, normalization))
    return x


def normal_weights() -> dict:
    """Returns the keyword argument for a layer with weights from N(0, 0.02), as in DCGAN and CycleGAN."""
    # a new initializer each time: an initializer that is called twice returns the same numbers twice
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
