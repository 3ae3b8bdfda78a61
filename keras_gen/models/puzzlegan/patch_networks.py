"""The networks of Puzzle-GAN: patches to features, summed features to a mask, and both to an image."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.conv import convolution_steps


def part_encoder(
    patch_shape: Sequence[int], image_shape: Sequence[int], *, base_filters: int = 16, code_size: int = 256
) -> keras.Model:
    """Builds a network from patches in [0, 1] to a list: features at every scale, and a code.

    The patch is resized to half of the image's size; convolutions then halve it down to the smallest scale of the
    decoders, with `base_filters`, 2 * `base_filters`, ... up to 8 * `base_filters` channels. There is no normalization,
    since the features of several patches are summed.

    Args:
        patch_shape: (height, width, channels) of a patch.
        image_shape: (height, width, channels) of the image; must halve at least once to 4 or more.
        base_filters: channels at half of the image's size.
        code_size: units of the code, the last output.

    Raises:
        ValueError: for an image that does not halve.

    Reference:
        Lee, Yun, Choi, Yoo, Yang, Oh 2017, Unsupervised Holistic Image Generation from Key Local Patches,
        arXiv:1703.10730.
    """
    steps = convolution_steps(image_shape)
    patch = keras.Input(tuple(patch_shape), name="patch")
    x = layers.Rescaling(2.0, offset=-1.0)(patch)
    x = layers.Resizing(image_shape[0] // 2, image_shape[1] // 2)(x)
    x = leaky_relu(layers.Conv2D(base_filters, 3, padding="same", **he_weights())(x))
    features = [x]
    for step in range(1, steps):
        x = leaky_relu(layers.Conv2D(base_filters * min(2**step, 8), 4, strides=2, padding="same", **he_weights())(x))
        features.append(x)
    code = leaky_relu(layers.Dense(code_size, **he_weights())(layers.Flatten()(x)))
    return keras.Model(patch, [*features, code], name="part_encoder")


def mask_decoder(features: Sequence[Sequence[int]], *, base_filters: int = 16, head: bool = True) -> keras.Model:
    """Builds a network from summed features and code to a list: mask logits [batch, height, width, 1], and features.

    The code becomes the smallest map; each map is concatenated with the summed features of its scale and upsampled, up
    to the image's size.

    Args:
        features: shapes of the outputs of `part_encoder`, without the batch; the code is the last output.
        base_filters: channels at the image's size; they double with every halving, up to 8 * `base_filters`.
        head: whether there are mask logits; False builds the network of a model without a mask.

    Returns:
        a model whose features have increasing sizes: one map for each scale, and one at the image's size.
    """
    inputs = _inputs(features)
    *skips, code = inputs
    x = _first_map(code, skips[-1].shape[1:])
    maps = []
    for index in reversed(range(len(skips))):
        x = layers.Concatenate()([x, skips[index]])
        x = _upsampled(x, base_filters * min(2**index, 8))
        maps.append(x)
    if not head:
        return keras.Model(inputs, maps, name="mask_decoder")
    logits = layers.Conv2D(1, 3, padding="same", dtype="float32", **he_weights())(x)
    return keras.Model(inputs, [logits, *maps], name="mask_decoder")


def image_decoder(
    code_size: int,
    latent_size: int,
    skips: Sequence[Sequence[int]],
    channels: int,
    *,
    base_filters: int = 32,
) -> keras.Model:
    """Builds a network from [code, noise z, features of the mask decoder...] to images in [0, 1].

    Args:
        code_size: dimensions of the summed code.
        latent_size: dimensions of the noise.
        skips: shapes of the mask decoder's features, without the batch, smallest first.
        channels: channels of the images.
        base_filters: channels at the image's size; they double with every halving, up to 8 * `base_filters`.
    """
    inputs = _inputs([(code_size,), (latent_size,), *skips])
    code, z, *features = inputs
    height, width, depth = features[0].shape[1:]
    x = _first_map(layers.Concatenate()([code, z]), (height // 2, width // 2, depth * 2))
    for index, skip in zip(reversed(range(len(features))), features, strict=True):
        x = layers.Concatenate()([_upsampled(x, base_filters * min(2**index, 8)), skip])
    last = layers.Conv2D(channels, 3, padding="same", activation="tanh", dtype="float32", **small_weights())
    return keras.Model(inputs, layers.Rescaling(0.5, offset=0.5, dtype="float32")(last(x)), name="image_decoder")


def _inputs(shapes: Sequence[Sequence[int]]) -> list[keras.KerasTensor]:
    return [keras.Input(tuple(shape), name=f"part_{index}") for index, shape in enumerate(shapes)]


def _first_map(code: keras.KerasTensor, shape: Sequence[int]) -> keras.KerasTensor:
    units = shape[0] * shape[1] * shape[2]
    return layers.Reshape(tuple(shape))(leaky_relu(layers.Dense(units, **he_weights())(code)))


def _upsampled(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    # a kernel size that is a multiple of the stride avoids checkerboard artifacts
    return leaky_relu(layers.Conv2DTranspose(channels, 4, strides=2, padding="same", **he_weights())(x))


def leaky_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the activation of the hidden layers, a Keras tensor of the same shape."""
    return layers.LeakyReLU(0.2)(x)


def he_weights() -> dict:
    """Returns the initializer of a layer before a rectifier: the variance stays the same without normalization."""
    return {"kernel_initializer": keras.initializers.HeNormal()}


def small_weights() -> dict:
    """Returns the initializer of a layer before tanh: small outputs, where the gradient of tanh is large."""
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
