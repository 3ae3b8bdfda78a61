"""The systems: `SYSTEMS` collects the declarations in `keras_gen/models/*/preset.py`.

Keras and TensorFlow are imported when a model is built, so that the systems and their settings (the keyword arguments
of each `create`) can be listed without them.
"""

import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_gen import models as packages
from keras_gen.models.core.system import System as System

from .setting_types import checked_types

if TYPE_CHECKING:
    import keras

    from keras_gen import models


def build(
    key: str,
    image_shape: tuple[int, int, int],
    *,
    seed: int | None = 0,
    learning_rate: float | None = None,
    optimizer: "keras.optimizers.Optimizer | None" = None,
    **settings: Any,
) -> "models.GenerativeModel":
    """Builds a system with its default networks, compiled and ready for `fit`.

    Args:
        key: One of `zoo.SYSTEMS`.
        image_shape: (height, width, channels) of the images.
        seed: Seed of the initial weights and of the model's noise; None chooses a random one.
        learning_rate: Learning rate of Adam; None for the system's default. The system's `learning_rate_multipliers`
            are applied to it.
        optimizer: Optimizer of all players, instead of Adam.
        **settings: The system's own settings, see `zoo.get(key).settings`.

    Returns:
        The compiled model.

    Raises:
        ValueError: For an unknown key or setting, or settings that contradict each other.

    Example:
        >>> model = build("vae", (28, 28, 1), latent_size=8)  # doctest: +SKIP
    """
    system = get(key)
    settings = check_settings(key, settings)
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = system.create(tuple(image_shape), seed, **settings)
    if optimizer is not None:
        model.compile(optimizer)
        return model
    rate = system.learning_rate if learning_rate is None else learning_rate
    if system.learning_rate_multipliers:
        factors = {player.name: system.learning_rate_multipliers.get(player.name, 1.0) for player in model.players()}
        model.compile({name: keras.optimizers.Adam(rate * factor, *system.betas) for name, factor in factors.items()})
    else:
        model.compile(keras.optimizers.Adam(rate, *system.betas))
    return model


def get(key: str) -> System:
    """Returns the system of a key.

    Raises:
        ValueError: For an unknown key.
    """
    if key not in SYSTEMS:
        raise ValueError(f"Expected one of the systems {', '.join(SYSTEMS)}; received {key!r}")
    return SYSTEMS[key]


def check_settings(key: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Checks settings before a model is built, without importing Keras.

    Args:
        key: One of `zoo.SYSTEMS`.
        settings: Setting -> value.

    Returns:
        The settings, with NumPy numbers converted to Python's.

    Raises:
        ValueError: For an unknown system or setting, or a value of another type than the setting declares.
    """
    system = get(key)
    known = system.settings
    if unknown := sorted(set(settings) - set(known)):
        listed = ", ".join(f"{name} (default {value!r})" for name, value in known.items())
        raise ValueError(f"Expected settings of {key!r}: {listed}; received {', '.join(unknown)}")
    return checked_types(key, system.create, settings)


def _declared() -> Iterator[System]:
    """Yields the systems of every folder of `keras_gen.models` that has a preset, in alphabetical order of folders."""
    for package in pkgutil.iter_modules(packages.__path__):
        name = f"{packages.__name__}.{package.name}.preset"
        if package.ispkg and importlib.util.find_spec(name):
            yield from importlib.import_module(name).SYSTEMS


SYSTEMS = {system.key: system for system in _declared()}
