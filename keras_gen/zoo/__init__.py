"""The systems: `SYSTEMS` collects the declarations in `keras_gen/models/*/preset.py`.

Keras and TensorFlow are imported when a model is built, so that the systems and their settings (the keyword arguments
of each `create`) can be listed without them.
"""

import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_gen import models as packages
from keras_gen.models.core.system import Preset as Preset
from keras_gen.models.core.system import System as System

from .setting_types import checked_types

if TYPE_CHECKING:
    import keras

    from keras_gen import models


def build(
    key: str,
    image_shape: tuple[int, int, int],
    *,
    preset: str | None = None,
    seed: int | None = 0,
    learning_rate: float | None = None,
    optimizer: "keras.optimizers.Optimizer | None" = None,
    **settings: Any,
) -> "models.GenerativeModel":
    """Builds a system with its default networks, compiled and ready for `fit`.

    Args:
        key: One of `zoo.SYSTEMS`.
        image_shape: (height, width, channels) of the images.
        preset: One of `zoo.get(key).presets`, such as `"paper"`; None for the system's own defaults. Its precision is
            used by `keras_gen.train` only.
        seed: Seed of the initial weights and of the model's noise; None chooses a random one.
        learning_rate: Learning rate of the optimizer; None for the system's or the preset's default. The
            `learning_rate_multipliers` are applied to it.
        optimizer: Optimizer of all players, instead of the system's or the preset's.
        **settings: The system's own settings, see `zoo.get(key).settings`; they take precedence over the preset's.

    Returns:
        The compiled model.

    Raises:
        ValueError: For an unknown key, preset or setting, or settings that contradict each other.

    Example:
        >>> model = build("vae", (28, 28, 1), latent_size=8)  # doctest: +SKIP
    """
    system = get(key, preset)
    settings = check_settings(key, settings)
    return build_system(system, image_shape, seed=seed, learning_rate=learning_rate, optimizer=optimizer, **settings)


def build_system(
    system: System,
    image_shape: tuple[int, int, int],
    *,
    seed: int | None = 0,
    learning_rate: float | None = None,
    optimizer: "keras.optimizers.Optimizer | None" = None,
    **settings: Any,
) -> "models.GenerativeModel":
    """Builds the model of a system, compiled.

    Args:
        system: The system, with its preset.
        image_shape: See `build`.
        seed: See `build`.
        learning_rate: See `build`.
        optimizer: See `build`.
        **settings: See `build`; they are checked already.
    """
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = system.create(tuple(image_shape), seed, **settings)
    if optimizer is not None:
        model.compile(optimizer)
        return model
    rate = system.learning_rate if learning_rate is None else learning_rate
    arguments = system.optimizer_options
    optimizer_class, by_player = getattr(keras.optimizers, arguments.pop("name")), arguments.pop("players", {})
    if system.learning_rate_multipliers or by_player:
        optimizers = {}
        for name in (player.name for player in model.players()):
            factor = system.learning_rate_multipliers.get(name, 1.0)
            optimizers[name] = optimizer_class(rate * factor, **{**arguments, **by_player.get(name, {})})
        model.compile(optimizers)
    else:
        model.compile(optimizer_class(rate, **arguments))
    return model


def get(key: str, preset: str | None = None) -> System:
    """Returns the system of a key, with the settings and the defaults of training of a preset.

    Args:
        key: One of `zoo.SYSTEMS`.
        preset: One of the system's `presets`; None for its own defaults.

    Raises:
        ValueError: For an unknown key or preset.
    """
    if key not in SYSTEMS:
        raise ValueError(f"Expected one of the systems {', '.join(SYSTEMS)}; received {key!r}")
    return SYSTEMS[key].with_preset(preset)


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
