"""The networks of the grid puzzle: tiles to embeddings, embeddings to scores of positions, a canvas to an image."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gen.networks.conv import convolution_steps, num_downsamples

from .patch_networks import he_weights, leaky_relu, small_weights


def tile_encoder(tile_shape: Sequence[int], *, base_filters: int = 16, size: int = 128) -> keras.Model:
    """Builds a network from tiles [batch, height, width, channels] in [0, 1] to embeddings [batch, size].

    A convolution with stride 1, one with stride 2 for each halving down to 4 pixels or more, and a dense layer, which
    distinguishes the borders of the tile.

    Args:
        tile_shape: (height, width, channels) of a tile.
        base_filters: channels of the first convolution; they double up to 8 times.
        size: dimensions of the embedding.
    """
    tile = keras.Input(tuple(tile_shape), name="tile")
    x = layers.Rescaling(2.0, offset=-1.0)(tile)
    x = layers.ReLU()(layers.Conv2D(base_filters, 3, padding="same", **he_weights())(x))
    for step in range(num_downsamples(*tile_shape[:2])):
        channels = base_filters * min(2 ** (step + 1), 8)
        x = layers.ReLU()(layers.Conv2D(channels, 4, strides=2, padding="same", **he_weights())(x))
    x = layers.ReLU()(layers.Dense(size, **he_weights())(layers.Flatten()(x)))
    return keras.Model(tile, x, name="tile_encoder")


def tile_placer(num: int, size: int = 128, *, base_filters: int = 128, rounds: int = 2) -> keras.Model:
    """Builds a network that scores each tile against each position.

    It maps [embeddings [batch, num, size], presence [batch, num], seams [batch, num, num, 4]] to scores [batch, num,
    num]. In each round of message passing every tile receives the mean message of all present tiles,
    r_i = mean_j relu(A e_i + B e_j + D relu(E s_ij)), where s_ij measures how badly j matches each side of i, and
    e_i <- relu(C [e_i, r_i]). The network is equivariant: a permutation of the tiles permutes the rows of the scores.
    The row of a missing tile is 0.

    Args:
        num: number of tiles, and of positions.
        size: dimensions of an embedding.
        base_filters: units of the hidden layers.
        rounds: rounds of message passing, >= 1.
    """
    embeddings = keras.Input((num, size), name="embeddings")
    presence = keras.Input((num,), name="presence")
    seams = keras.Input((num, num, 4), name="seams")
    present = layers.Reshape((1, num, 1))(presence)
    # weights of the mean over present tiles, also if all are missing
    weights = present / ops.maximum(ops.sum(present, axis=2, keepdims=True), 1.0)
    x = embeddings
    for _ in range(rounds):
        receiver = layers.Reshape((num, 1, base_filters))(layers.Dense(base_filters, **he_weights())(x))
        sender = layers.Dense(base_filters, use_bias=False, **he_weights())(x)
        sender = layers.Reshape((1, num, base_filters))(sender)
        seam = layers.Dense(16, activation="relu", **he_weights())(layers.Rescaling(5.0)(seams))
        seam = layers.Dense(base_filters, use_bias=False, **he_weights())(seam)
        messages = layers.ReLU()(layers.Add()([layers.Add()([receiver, sender]), seam]))
        message = ops.sum(layers.Multiply()([messages, weights]), axis=2)
        x = layers.ReLU()(layers.Dense(base_filters, **he_weights())(layers.Concatenate()([x, message])))
    scores = layers.Dense(num, dtype="float32", **he_weights())(x)
    scores = layers.Multiply(dtype="float32")([scores, layers.Reshape((num, 1))(presence)])
    return keras.Model([embeddings, presence, seams], scores, name="tile_placer")


def canvas_painter(image_shape: Sequence[int], latent_size: int, *, base_filters: int = 24) -> keras.Model:
    """Builds a U-Net from [canvas, coverage [batch, height, width, 1], z] to images in [0, 1].

    The image is halved down to 4 pixels or more; the noise is concatenated to the smallest map, and each upsampled map
    to the encoder's map of the same size.

    Args:
        image_shape: (height, width, channels); must halve at least once to 4 or more.
        latent_size: dimensions of the noise z.
        base_filters: channels at the image's size; they double up to 8 times.

    Raises:
        ValueError: for an image that does not halve.
    """
    steps = convolution_steps(image_shape)
    canvas = keras.Input(tuple(image_shape), name="canvas")
    coverage = keras.Input((*image_shape[:2], 1), name="coverage")
    z = keras.Input((latent_size,), name="z")
    x = layers.Concatenate()([layers.Rescaling(2.0, offset=-1.0)(canvas), coverage])
    x = leaky_relu(layers.Conv2D(base_filters, 3, padding="same", **he_weights())(x))
    down = [x]
    for step in range(steps):
        x = leaky_relu(
            layers.Conv2D(base_filters * min(2 ** (step + 1), 8), 4, strides=2, padding="same", **he_weights())(x)
        )
        down.append(x)
    shape = tuple(x.shape[1:])
    # a dense layer over the whole smallest map: distant tiles determine the content of missing ones
    code = leaky_relu(layers.Dense(256, **he_weights())(layers.Concatenate()([layers.Flatten()(x), z])))
    code = leaky_relu(layers.Dense(shape[0] * shape[1] * shape[2], **he_weights())(code))
    x = layers.Concatenate()([x, layers.Reshape(shape)(code)])
    for step in reversed(range(steps)):
        up = layers.Conv2DTranspose(base_filters * min(2**step, 8), 4, strides=2, padding="same", **he_weights())
        x = layers.Concatenate()([leaky_relu(up(x)), down[step]])
    x = leaky_relu(layers.Conv2D(base_filters, 3, padding="same", **he_weights())(x))
    last = layers.Conv2D(image_shape[-1], 3, padding="same", activation="tanh", dtype="float32", **small_weights())
    image = layers.Rescaling(0.5, offset=0.5, dtype="float32")(last(x))
    return keras.Model([canvas, coverage, z], image, name="canvas_painter")
