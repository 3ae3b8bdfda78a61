"""InfoGAN's discriminator in three parts: a trunk shared by the discriminator D and the recognition network Q.

The generator is `dcgan_generator(size, image_shape, dense_units=1024)`. Its input is the concatenation of the noise,
the one-hot category and the continuous codes.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.dcgan import discriminator_features
from keras_gen.networks.normalization import apply_normalization

SLOPE = 0.1  # of the leaky ReLU below 0, in the paper


def infogan_trunk(
    image_shape: Sequence[int],
    *,
    base_filters: int,
    dense_units: int,
    kernel: int = 4,
    normalization: str = "batch",
    slope: float = SLOPE,
) -> keras.Model:
    """Returns a network from images [batch, height, width, channels] in [0, 1] to features [batch, dense_units].

    The paper's network for 28x28x1 images has base_filters=64 (convolutions with 64 and 128 channels) and
    dense_units=1024.

    Args:
        image_shape: (height, width, channels). Height and width must be divisible by 2 at least once without falling
            below 4.
        base_filters: Channels of the first convolution, >= 1.
        dense_units: Units of the dense layer that returns the features, >= 1.
        kernel: Size of the kernels.
        normalization: `"batch"`, `"layer"`, `"spectral"` or `"none"`, see `keras_gen.networks.dcgan_discriminator`.
        slope: Slope of the leaky ReLU below 0.

    Raises:
        ValueError: For a size that cannot be halved, or an unknown normalization.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, appendix C.1, table 1.
    """
    image = keras.Input(tuple(image_shape), name="image")
    features = discriminator_features(image, base_filters, kernel, normalization, slope, dense_units)
    return keras.Model(image, features, name="trunk")


def infogan_discriminator_head(size: int) -> keras.Model:
    """Returns a linear layer from the trunk's features [batch, size] to the log-odds of a real image [batch, 1].

    Args:
        size: Number of features.
    """
    inputs = keras.Input((size,), name="features")
    return keras.Model(inputs, layers.Dense(1, dtype="float32")(inputs), name="discriminator_head")


def infogan_q_head(
    size: int,
    outputs: int,
    *,
    hidden_units: int = 128,
    normalization: str = "batch",
    slope: float = SLOPE,
) -> keras.Model:
    """Returns a network from the trunk's features [batch, size] to the parameters of Q(c | x) [batch, outputs].

    Args:
        size: Number of features.
        outputs: Number of parameters: the logits of the categories, and mean and scale of each continuous code; 14
            for 10 categories and 2 codes.
        hidden_units: Units of the hidden layer.
        normalization: `"batch"` or `"layer"` normalizes the hidden layer; `"spectral"` and `"none"` do not.
        slope: Slope of the leaky ReLU below 0.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, section 6 and appendix C.1, table 1.
    """
    inputs = keras.Input((size,), name="features")
    x = layers.Dense(hidden_units, use_bias=normalization in ("none", "spectral"))(inputs)
    x = layers.LeakyReLU(slope)(apply_normalization(x, normalization))
    return keras.Model(inputs, layers.Dense(outputs, dtype="float32")(x), name="q_head")
