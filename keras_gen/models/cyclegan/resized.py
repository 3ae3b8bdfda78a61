"""A network behind a change of size: for domains whose images are not of one size."""

from collections.abc import Sequence

import keras
from keras import layers


def resized(network: keras.Model, size: Sequence[int], name: str | None = None) -> keras.Model:
    """A network of images of one size as a network of images of another: they are scaled bilinearly first.

    Args:
        network: images [batch, height, width, channels] -> anything.
        size: (height, width) of the images that shall go in; where they are the network's already, it is returned.
        name: the model's; None is the network's.

    Returns:
        A model of images [batch, *size, channels].
    """
    *own, channels = network.input_shape[1:]
    if tuple(own) == tuple(size):
        return network
    image = keras.Input((*size, channels), name="image")
    x = layers.Resizing(*own, dtype="float32")(image)
    return keras.Model(image, network(x), name=name or network.name)
