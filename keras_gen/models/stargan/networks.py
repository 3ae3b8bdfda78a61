"""StarGAN's discriminator: a critic of patches that also classifies the attributes of an image."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.conv import num_downsamples


def stargan_discriminator(
    image_shape: Sequence[int], num_attributes: int, *, base_filters: int = 64, slope: float = 0.01
) -> keras.Model:
    """Builds a network from images in [0, 1] to a critic map [batch, h, w, 1] and attribute logits [batch, n].

    Convolutions of 4x4 with stride 2 and leaky ReLU have `base_filters`, 2 * `base_filters`, ... channels. They have no
    normalization: it would couple the examples of a batch, while the gradient penalty is defined for each example. The
    size is halved while both sides stay at 2 or more: six times for 128 pixels, down to 2x2. The critic is a 3x3
    convolution; the logits are a convolution over the whole remaining map.

    Args:
        image_shape: (height, width, channels); height and width must halve at least once.
        num_attributes: length n of the attribute vector.
        base_filters: channels of the first convolution.
        slope: slope of the leaky ReLU below 0.

    Raises:
        ValueError: for a size that does not halve.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, appendix, table 5.
    """
    height, width = image_shape[:2]
    steps = num_downsamples(height, width, smallest=2)
    if not steps:
        raise ValueError(f"Expected images with sides that are even and at least 4; received {tuple(image_shape)}")
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(steps):
        x = layers.LeakyReLU(slope)(layers.Conv2D(base_filters * 2**step, 4, strides=2, padding="same")(x))
    # a constant shift does not change a Wasserstein critic: a bias would have no gradient
    critic = layers.Conv2D(1, 3, padding="same", use_bias=False, dtype="float32", name="critic")(x)
    logits = layers.Conv2D(num_attributes, (height >> steps, width >> steps), dtype="float32", name="attributes")(x)
    return keras.Model(image, [critic, layers.Flatten(dtype="float32")(logits)], name="discriminator")
