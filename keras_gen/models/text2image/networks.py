"""The generator and the discriminator of text to image: DCGAN's networks, conditioned on an embedding of the text."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_gen.layers import AttributePlanes
from keras_gen.networks.conv import convolution_steps
from keras_gen.networks.dcgan import dcgan_generator, normal_weights
from keras_gen.networks.normalization import apply_normalization
from keras_gen.networks.upsampling import upsample

from .preset import NORMALIZATION

SLOPE = 0.2  # of the leaky ReLU below 0
TEXT_UNITS = 128  # that the embedding is compressed to, in the paper
MODULATION_UNITS = 256  # of the modulated generator's two dense layers


def text2image_generator(
    size: int,
    embedding_size: int,
    image_shape: Sequence[int],
    *,
    base_filters: int,
    text_units: int = TEXT_UNITS,
    dense_units: int | None = None,
    modulated: bool = False,
    upsampling: str = "transposed",
) -> keras.Model:
    """Returns a generator from [noise [batch, size], embedding [batch, embedding_size]] to images in [0, 1].

    A dense layer with leaky ReLU compresses the embedding, which is concatenated with the noise as the input of DCGAN's
    generator. A modulated generator reads noise and embedding at every resolution instead: both pass through two dense
    layers, and linear functions of the result are scale and shift of each batch normalization. The text can then change
    what is drawn independently of its position.

    Args:
        size: Dimensions of the noise.
        embedding_size: Dimensions of the text's embedding.
        image_shape: (height, width, channels). Height and width must be divisible by 2 at least once without falling
            below 4.
        base_filters: Channels before the last layer, >= 1.
        text_units: Units that the embedding is compressed to, without modulation.
        dense_units: Units of a hidden dense layer before the projection, or None for none, without modulation.
        modulated: Whether noise and embedding modulate the batch normalizations.
        upsampling: How a convolution doubles the size of the features, see `keras_gen.networks.upsampling.upsample`.

    Raises:
        ValueError: For a size that cannot be halved, or an unknown upsampling.

    Reference:
        Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image Synthesis,
        arXiv:1605.05396, section 4.1 and figure 2. De Vries, Strub, Mary, Larochelle, Pietquin, Courville 2017,
        Modulating early visual processing by language, arXiv:1707.00683 (batch normalization conditioned on a text).
    """
    noise = keras.Input((size,), name="z")
    embedding = keras.Input((embedding_size,), name="embedding")
    if modulated:
        pixels = _modulated_generator(layers.Concatenate()([noise, embedding]), image_shape, base_filters, upsampling)
        return keras.Model([noise, embedding], pixels, name="generator")
    compressed = layers.LeakyReLU(SLOPE)(layers.Dense(text_units)(embedding))
    inputs = layers.Concatenate()([noise, compressed])
    pixels = dcgan_generator(
        size + text_units, image_shape, base_filters=base_filters, upsampling=upsampling, dense_units=dense_units
    )
    return keras.Model([noise, embedding], pixels(inputs), name="generator")


def _modulated_generator(condition: Any, image_shape: Sequence[int], base_filters: int, upsampling: str) -> Any:
    """Returns the images, as a Keras tensor, of the concatenated noise and embedding."""
    steps, (height, columns, channels) = convolution_steps(image_shape), image_shape
    for _ in range(2):
        condition = layers.ReLU()(layers.Dense(MODULATION_UNITS)(condition))

    def modulate(x):
        size = x.shape[-1]
        x = apply_normalization(x, "batch", affine=False)
        scale = layers.Dense(size, bias_initializer="ones", **normal_weights())(condition)
        shift = layers.Dense(size, **normal_weights())(condition)
        scale, shift = (layers.Reshape((1, 1, size))(each) for each in (scale, shift))
        return layers.ReLU()(layers.Add()([layers.Multiply()([x, scale]), shift]))

    small = (height >> steps, columns >> steps, base_filters * min(2 ** (steps - 1), 8))
    x = layers.Dense(small[0] * small[1] * small[2], use_bias=False, **normal_weights())(condition)
    x = modulate(layers.Reshape(small)(x))
    for step in reversed(range(steps - 1)):
        filters = base_filters * min(2**step, 8)
        x = modulate(upsample(x, filters, upsampling=upsampling, use_bias=False, **normal_weights()))
    x = upsample(x, channels, upsampling=upsampling, activation="tanh", dtype="float32", **normal_weights())
    return layers.Rescaling(0.5, offset=0.5, dtype="float32")(x)


def text2image_trunk(
    image_shape: Sequence[int], *, base_filters: int, normalization: str = NORMALIZATION
) -> keras.Model:
    """Returns a network from images [batch, height, width, channels] in [0, 1] to features.

    The features are [batch, height / 2^n, width / 2^n, channels], after n of DCGAN's convolutions of stride 2 with
    leaky ReLU. They do not depend on the text: a real image's features are computed once for all of its captions.

    Args:
        image_shape: (height, width, channels). Height and width must be divisible by 2 at least once without falling
            below 4.
        base_filters: Channels of the first convolution, >= 1.
        normalization: `"none"`, `"layer"` or `"batch"`, after all convolutions but the first. The paper has batch
            normalization, which mixes the images of a batch; a gradient penalty requires another one.

    Raises:
        ValueError: For a size that cannot be halved, or another normalization.

    Reference:
        Reed et al. 2016, arXiv:1605.05396, section 4.1.
    """
    if normalization not in ("none", "layer", "batch"):
        raise ValueError(f"Expected normalization 'none', 'layer' or 'batch'; received {normalization!r}")
    steps = convolution_steps(image_shape)
    image = keras.Input(tuple(image_shape), name="image")
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    for step in range(steps):
        kind = normalization if step else "none"
        x = layers.Conv2D(
            base_filters * min(2**step, 8),
            4,
            strides=2,
            padding="same",
            use_bias=kind == "none",
            kernel_initializer="he_normal",
        )(x)
        x = layers.LeakyReLU(SLOPE)(apply_normalization(x, kind))
    return keras.Model(image, x, name="trunk")


def text2image_image_encoder(trunk: keras.Model, size: int, *, dense_units: int = 256) -> keras.Model:
    """Returns a network from images to embeddings [batch, size]: a trunk, a hidden dense layer and a linear layer.

    It is trained in a `keras_gen.models.JointEmbedding`. Its trunk then has features that captions describe, and can
    initialize the discriminator.

    Args:
        trunk: See `text2image_trunk`; the result shares its weights.
        size: Dimensions of the embedding.
        dense_units: Units of the hidden layer.
    """
    image = keras.Input(trunk.input_shape[1:], name="image")
    x = layers.Flatten()(trunk(image))
    x = layers.Dense(dense_units, activation="silu", kernel_initializer="he_normal")(x)
    return keras.Model(image, layers.Dense(size, dtype="float32")(x), name="image_encoder")


def text2image_head(
    features_shape: Sequence[int],
    embedding_size: int,
    *,
    text_units: int = TEXT_UNITS,
    normalization: str = NORMALIZATION,
) -> keras.Model:
    """Returns a network from [features [batch, rows, columns, channels], embedding [batch, size]] to logits [batch, 1].

    The embedding is compressed and concatenated with the features at every position, followed by a 1x1 convolution. A
    linear unit over all positions then computes the log-odds of a real image that the text describes.

    Args:
        features_shape: (rows, columns, channels) of `text2image_trunk`.
        embedding_size: Dimensions of the text's embedding.
        text_units: Units that the embedding is compressed to.
        normalization: Normalization after the 1x1 convolution.

    Reference:
        Reed et al. 2016, arXiv:1605.05396, section 4.1.
    """
    features = keras.Input(tuple(features_shape), name="features")
    embedding = keras.Input((embedding_size,), name="embedding")
    compressed = layers.LeakyReLU(SLOPE)(layers.Dense(text_units, kernel_initializer="he_normal")(embedding))
    x = AttributePlanes()([features, compressed])
    x = layers.Conv2D(features_shape[-1], 1, use_bias=normalization == "none", kernel_initializer="he_normal")(x)
    x = layers.LeakyReLU(SLOPE)(apply_normalization(x, normalization))
    logit = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return keras.Model([features, embedding], logit, name="head")
