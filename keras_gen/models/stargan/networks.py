"""StarGAN's discriminator: is it real, seen patch by patch, and which attributes does it have."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.conv import num_downsamples


def stargan_discriminator(
    image_shape: Sequence[int], num_attributes: int, *, base_filters: int = 64, slope: float = 0.01
) -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> [critic map [batch, h, w, 1], logits [batch, n]].

    Convolutions of 4x4 and stride 2 with leaky ReLU, `base_filters`, 2 * `base_filters`, ... channels, and no normalization: it would
    join the examples, and a gradient penalty is of each alone. The size is halved while both sides stay at 2 or more:
    six times for 128 pixels, which leaves 2x2. The critic is a convolution of 3x3; the logits are one of all that is
    left.

    Args:
        image_shape: (height, width, channels); height and width must halve at least once.
        num_attributes: n, length of the attributes' vector.
        base_filters: channels of the first convolution.
        slope: of the leaky ReLU below 0.

    Raises:
        ValueError: for a size that does not halve.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, appendix, table 5.
    """
    height, columns = image_shape[:2]
    steps = num_downsamples(height, columns, smallest=2)
    if not steps:
        raise ValueError(f"Images {tuple(image_shape)}: height and width must be even and at least 4")
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(steps):
        x = layers.LeakyReLU(slope)(layers.Conv2D(base_filters * 2**step, 4, strides=2, padding="same")(x))
    # a Wasserstein critic may be shifted: its last bias would have no gradient
    critic = layers.Conv2D(1, 3, padding="same", use_bias=False, dtype="float32", name="critic")(x)
    logits = layers.Conv2D(num_attributes, (height >> steps, columns >> steps), dtype="float32", name="attributes")(x)
    return keras.Model(image, [critic, layers.Flatten(dtype="float32")(logits)], name="discriminator")
