"""Generator and discriminator of text to image: DCGAN's, with an embedding of the text joined to them."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.layers import AttributePlanes
from keras_gen.networks.conv import convolution_steps
from keras_gen.networks.dcgan import dcgan_generator, normal_weights, normalized

SLOPE = 0.2
HIDDEN = 256  # units of the modulated generator's two dense layers


def text2image_generator(
    size: int,
    embedding_size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int = 64,
    text: int = 128,
    dense_units: int | None = None,
    modulated: bool = False,
) -> keras.Model:
    """[noise [batch, size], embedding [batch, embedding_size]] -> images [batch, height, width, channels] in [0, 1].

    The embedding is compressed by a dense layer with leaky ReLU and joined to the noise; then DCGAN's generator, which
    reads both once, below its first layer. A modulated one reads them at every resolution: noise and embedding go
    through two dense layers, and linear functions of the result are scale and shift of each batch normalization. What
    is drawn can then be said apart from where it is drawn.

    Args:
        size: dimensions of the noise.
        embedding_size: of the text's embedding.
        image_shape: (height, width, channels); height and width must halve at least once to 4 or more.
        base_filters: channels before the last layer.
        text: units that the embedding is compressed to; 128 in the paper.
        dense_units: units of a hidden dense layer before the projection, or None; of DCGAN's.
        modulated: see above.

    Reference:
        Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image Synthesis,
        arXiv:1605.05396, section 4.1 and figure 2. De Vries, Strub, Mary, Larochelle, Pietquin, Courville 2017,
        Modulating early visual processing by language, arXiv:1707.00683 (batch normalization that reads a text).
    """
    noise = keras.Input((size,), name="z")
    embedding = keras.Input((embedding_size,), name="embedding")
    if modulated:
        pixels = _modulated_pixels(layers.Concatenate()([noise, embedding]), image_shape, base_filters)
        return keras.Model([noise, embedding], pixels, name="generator")
    compressed = layers.LeakyReLU(SLOPE)(layers.Dense(text)(embedding))
    joined = layers.Concatenate()([noise, compressed])
    pixels = dcgan_generator(size + text, image_shape, base_filters=base_filters, dense_units=dense_units)
    return keras.Model([noise, embedding], pixels(joined), name="generator")


def _modulated_pixels(told, image_shape: Sequence[int], base_filters: int):
    """What the generator is told -> images, as Keras tensors."""
    steps, (height, columns, channels) = convolution_steps(image_shape), image_shape
    for _ in range(2):
        told = layers.ReLU()(layers.Dense(HIDDEN)(told))

    def modulated(x):
        size = x.shape[-1]
        x = normalized(x, "batch", affine=False)
        scale = layers.Dense(size, bias_initializer="ones", **normal_weights())(told)
        shift = layers.Dense(size, **normal_weights())(told)
        scale, shift = (layers.Reshape((1, 1, size))(each) for each in (scale, shift))
        return layers.ReLU()(layers.Add()([layers.Multiply()([x, scale]), shift]))

    small = (height >> steps, columns >> steps, base_filters * min(2 ** (steps - 1), 8))
    x = layers.Dense(small[0] * small[1] * small[2], use_bias=False, **normal_weights())(told)
    x = modulated(layers.Reshape(small)(x))
    options = {"strides": 2, "padding": "same"}
    for step in reversed(range(steps - 1)):
        up = layers.Conv2DTranspose(base_filters * min(2**step, 8), 4, use_bias=False, **options, **normal_weights())
        x = modulated(up(x))
    last = layers.Conv2DTranspose(channels, 4, activation="tanh", dtype="float32", **options, **normal_weights())
    return layers.Rescaling(0.5, offset=0.5, dtype="float32")(last(x))


def text2image_trunk(image_shape: Sequence[int], *, base_filters: int = 64, normalization: str = "none") -> keras.Model:
    """Images [batch, height, width, channels] in [0, 1] -> features [batch, height / 2^n, width / 2^n, channels].

    DCGAN's convolutions of stride 2 with leaky ReLU. They do not see the text: real images are looked at once, whatever
    text they are judged with.

    Args:
        image_shape: (height, width, channels); must halve at least once to 4 or more.
        base_filters: channels of the first convolution.
        normalization: "none", "layer" or "batch", in all but the first. The paper has batch normalization, which
            joins the examples of a batch; a penalty wants another.

    Raises:
        ValueError: for a size that does not halve, or another normalization.

    Reference:
        Reed et al. 2016, arXiv:1605.05396, section 4.1.
    """
    if normalization not in ("none", "layer", "batch"):
        raise ValueError(f"Expected normalization 'none', 'layer' or 'batch'; received {normalization!r}")
    steps = convolution_steps(image_shape)
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(steps):
        how = normalization if step else "none"
        x = layers.Conv2D(
            base_filters * min(2**step, 8),
            4,
            strides=2,
            padding="same",
            use_bias=how == "none",
            kernel_initializer="he_normal",
        )(x)
        x = layers.LeakyReLU(SLOPE)(normalized(x, how))
    return keras.Model(image, x, name="trunk")


def text2image_image_encoder(trunk: keras.Model, size: int, *, dense_units: int = 256) -> keras.Model:
    """Images -> [batch, size], unbounded: a trunk, a hidden dense layer, a linear one.

    For a `keras_gen.models.JointEmbedding`: afterwards the trunk knows what captions speak of, and may be where the
    discriminator starts.

    Args:
        trunk: see `text2image_trunk`; the result shares its weights.
        size: of the embedding.
        dense_units: units of the hidden layer.
    """
    image = keras.Input(trunk.input_shape[1:], name="image")
    x = layers.Flatten()(trunk(image))
    x = layers.Dense(dense_units, activation="silu", kernel_initializer="he_normal")(x)
    return keras.Model(image, layers.Dense(size, dtype="float32")(x), name="image_encoder")


def text2image_head(
    features_shape: Sequence[int], embedding_size: int, *, text: int = 128, normalization: str = "none"
) -> keras.Model:
    """[features [batch, rows, columns, channels], embedding [batch, size]] -> logits [batch, 1].

    The embedding is compressed, set beside the features of every place, and both go through a 1x1 convolution; a
    linear unit over all places then gives the log-odds of a real image that the text describes.

    Args:
        features_shape: (rows, columns, channels) of `text2image_trunk`.
        embedding_size: of the text's embedding.
        text: units that it is compressed to.
        normalization: of the 1x1 convolution.

    Reference:
        Reed et al. 2016, arXiv:1605.05396, section 4.1.
    """
    features = keras.Input(tuple(features_shape), name="features")
    embedding = keras.Input((embedding_size,), name="embedding")
    compressed = layers.LeakyReLU(SLOPE)(layers.Dense(text, kernel_initializer="he_normal")(embedding))
    x = AttributePlanes()([features, compressed])
    x = layers.Conv2D(features_shape[-1], 1, use_bias=normalization == "none", kernel_initializer="he_normal")(x)
    x = layers.LeakyReLU(SLOPE)(normalized(x, normalization))
    logit = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return keras.Model([features, embedding], logit, name="head")
