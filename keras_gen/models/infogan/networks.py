"""InfoGAN's discriminator in three parts: a trunk shared by the discriminator D and the recognition network Q.

The generator is `dcgan_generator(size, image_shape, dense_units=1024)`, whose input is the noise, the one-hot categories and
the continuous codes, joined to one vector.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.dcgan import features, normalized


def infogan_trunk(
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    kernel: int = 4,
    dense_units: int = 1024,
    normalization: str = "batch",
    slope: float = 0.1,
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> features [batch, dense].

    The defaults make, for 28x28x1, the paper's network: convolutions of 64 and 128 channels, a dense layer of 1024.

    Args:
        image_shape: (height, width, channels); height and width must halve at least once to 4 or more.
        base_filters: channels of the first convolution.
        kernel: size of the kernels.
        dense_units: units of the dense layer, the features.
        normalization: "batch", "layer", "spectral" or "none", see `dcgan_discriminator`.
        slope: of the leaky ReLU below 0.

    Raises:
        ValueError: for a size that does not halve, or an unknown normalization.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, appendix C.1, table 1.
    """
    image = keras.Input(tuple(image_shape), name="image")
    return keras.Model(image, features(image, base_filters, kernel, normalization, slope, dense_units), name="trunk")


def infogan_discriminator_head(size: int = 1024) -> keras.Model:
    """Features [batch, size] of the trunk -> logits [batch, 1]: log-odds of being real."""
    shared = keras.Input((size,), name="features")
    return keras.Model(shared, layers.Dense(1, dtype="float32")(shared), name="discriminator_head")


def infogan_q_head(
    size: int = 1024,
    outputs: int = 14,
    *,
    hidden: int = 128,
    normalization: str = "batch",
    slope: float = 0.1,
) -> keras.Model:
    """Features [batch, size] of the trunk -> [batch, outputs], unbounded: parameters of Q(c | x).

    Args:
        size: the trunk's features.
        outputs: units of the last layer; 14 are the logits of 10 categories and mean and scale of 2 continuous codes.
        hidden: units of the hidden layer.
        normalization: "batch" or "layer" of the hidden layer; "spectral" and "none" leave it as it is.
        slope: of the leaky ReLU below 0.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, section 6 and appendix C.1, table 1.
    """
    shared = keras.Input((size,), name="features")
    x = layers.Dense(hidden, use_bias=normalization in ("none", "spectral"))(shared)
    x = layers.LeakyReLU(slope)(normalized(x, normalization))
    return keras.Model(shared, layers.Dense(outputs, dtype="float32")(x), name="q_head")
