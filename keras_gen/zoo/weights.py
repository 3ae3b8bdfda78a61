"""The number of weights of the networks that a system or one of its presets builds."""

import inspect
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from keras_gen import models


def count_weights(key: str, preset: str | None = None) -> dict[str, int]:
    """Builds a model and counts the weights of its networks; large networks take a minute and gigabytes of memory.

    Args:
        key: One of `zoo.SYSTEMS`.
        preset: One of the system's presets, at its `image_shape`; None for the system's own defaults, for color images
            of the default size.

    Returns:
        Network -> number of its weights, see `weights_of`.

    Raises:
        ValueError: For an unknown key or preset.
    """
    from . import build, get

    system = get(key, preset)
    shape = system.presets[preset].image_shape if preset else (system.image_size, system.image_size, 3)
    return weights_of(build(key, shape, preset=preset, **system.example_settings))


def weights_of(model: "models.GenerativeModel") -> dict[str, int]:
    """Returns the number of trainable weights of each network that a model's constructor takes.

    Frozen networks count as well; statistics of batch normalization and moving averages do not.

    Args:
        model: Any model; its networks are the attributes that have the names of the constructor's arguments.
    """
    import keras

    networks = {name: getattr(model, name, None) for name in inspect.signature(type(model)).parameters}
    return {name: _count(network) for name, network in networks.items() if isinstance(network, keras.Layer)}


def _count(network: "keras.Layer") -> int:
    variables = {id(each): each for layer in network._flatten_layers() for each in layer._trainable_variables}
    return sum(math.prod(each.shape) for each in variables.values())
