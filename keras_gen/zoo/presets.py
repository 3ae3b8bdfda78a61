"""Presets in words: the source of `keras-gen zoo KEY` and of docs/presets.md."""

import json
from collections.abc import Mapping

from keras_gen.models.core.system import System


def facts(system: System, name: str, counted: Mapping[str, int] | None = None) -> dict[str, list[str]]:
    """Returns what is to be known of a preset, in the order in which it is shown.

    Args:
        system: The system, without a preset.
        name: One of its presets.
        counted: Network -> number of its weights, see `keras_gen.zoo.weights.count_weights`; None leaves them out.

    Returns:
        Kind of the facts -> its entries; kinds without an entry are left out.

    Raises:
        ValueError: For an unknown preset.
    """
    effective, preset = system.with_preset(name), system.presets[name]
    rows = {
        "settings": [f"{setting}={json.dumps(value)}" for setting, value in preset.settings.items()],
        "training": training(effective, resized="image_size" in preset.training),
        "optimizer": optimizer(effective),
        "weights": [f"{network} {number:,}" for network, number in (counted or {}).items()],
        "published weights": [f"{network} {number:,}" for network, number in preset.weights.items() if number],
        "sources": list(preset.sources),
        "departures": list(preset.departures),
    }
    return {kind: entries for kind, entries in rows.items() if entries}


def training(system: System, resized: bool = False) -> list[str]:
    """Returns the default image size, batch size, length and schedule of a system, in words.

    Args:
        system: The system, with its preset.
        resized: Whether images that have a usable size of their own are resized too.
    """
    size = f"{system.image_size} pixels"
    if not resized:
        photos = "" if system.photo_size == system.image_size else f", {system.photo_size} for larger photos"
        size = f"the data's size up to 64 pixels, or {size}{photos}"
    entries = [size, f"batches of {system.batch_size}"]
    entries.append(f"{system.updates:,} updates" if system.epochs is None else f"{system.epochs} epochs")
    if pretraining := system.pretraining_updates(system.settings):
        entries.append(f"after a pretraining of {' and '.join(f'{count:,}' for count in pretraining.values())} updates")
    if system.steps:
        entries.append(f"epochs of {system.steps} updates")
    if system.decay is not None:
        entries.append(f"rates fall linearly to 0 after {system.decay:.0%} of the epochs")
    if system.augment is None:
        entries.append("photos flipped")
    elif system.augment:
        entries.append(f"augmented by {' and '.join(system.augment)}")
    return [*entries, system.precision]


def optimizer(system: System) -> list[str]:
    """Returns the optimizer of a system and the learning rates of its players, in words.

    Args:
        system: The system, with its preset.
    """
    arguments = system.optimizer_options
    name, by_player = arguments.pop("name"), arguments.pop("players", {})
    entries = [name, *(f"{argument} {value:g}" for argument, value in arguments.items())]
    for player, own in by_player.items():
        entries += [f"{player} {argument} {value:g}" for argument, value in own.items()]
    rates = [
        f"{player} {factor * system.learning_rate:g}" for player, factor in system.learning_rate_multipliers.items()
    ]
    return [*entries, f"learning rate {system.learning_rate:g}", *rates]
