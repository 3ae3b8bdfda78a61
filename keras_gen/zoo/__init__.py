"""The systems: `SYSTEMS` collects what the presets in `keras_gen/models/*/preset.py` declare.

Keras and TensorFlow are imported where a model is built, so that the systems and their settings (the arguments of each
`create`) are listed without them.
"""

import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from keras_gen import models as packages
from keras_gen.models.core.prior_of import prior_of as prior_of
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
    **settings,
) -> "models.GenerativeModel":
    """A system with its default networks, compiled and ready for `fit`.

    Args:
        key: one of `zoo.SYSTEMS`.
        image_shape: (height, width, channels) of the images.
        seed: seed of the initial weights and of the model's noise; None draws one.
        learning_rate: Adam's; None takes the system's default. A system's `learning_rate_multipliers` multiply it.
        optimizer: in place of Adam.
        **settings: the system's own, see `zoo.get(key).settings`.

    Raises:
        ValueError: for an unknown key or setting, or settings that do not fit together.
    """
    system = get(key)
    settings = check_settings(key, settings)
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = system.create(tuple(image_shape), seed, **settings)
    rate = system.learning_rate if learning_rate is None else learning_rate
    if optimizer is None and system.learning_rate_multipliers:
        learning_rate_multipliers = {
            player.name: system.learning_rate_multipliers.get(player.name, 1.0) for player in model.players()
        }
        optimizer = {
            name: keras.optimizers.Adam(rate * pace, *system.betas) for name, pace in learning_rate_multipliers.items()
        }
    model.compile(optimizer or keras.optimizers.Adam(rate, *system.betas))
    return model


def get(key: str) -> System:
    """The system of a key.

    Raises:
        ValueError: for an unknown key.
    """
    if key not in SYSTEMS:
        raise ValueError(f"Unknown system {key!r}: expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[key]


def check_settings(key: str, settings: Mapping) -> dict:
    """Check settings before anything is built, without importing Keras.

    Returns:
        The settings, numbers of numpy as Python's.

    Raises:
        ValueError: for an unknown system, a setting that it does not have, or one of another type than it declares.
    """
    system = get(key)
    known = system.settings
    if unknown := sorted(set(settings) - set(known)):
        listed = ", ".join(f"{name} (default {value!r})" for name, value in known.items())
        raise ValueError(f"Unknown setting {', '.join(unknown)} for {key!r}: it takes {listed}")
    return checked_types(key, system.create, settings)


def _declared() -> Iterator[System]:
    """The systems of every folder of `keras_gen.models` that has a preset, in alphabetical order of the folders."""
    for package in pkgutil.iter_modules(packages.__path__):
        name = f"{packages.__name__}.{package.name}.preset"
        if package.ispkg and importlib.util.find_spec(name):
            yield from importlib.import_module(name).SYSTEMS


SYSTEMS = {system.key: system for system in _declared()}
