"""Weights of evaluation networks on disk, so that each is trained only once."""

import pathlib

import keras
import numpy as np

from keras_gen import files


def load_weights(file: pathlib.Path, network: keras.Model) -> dict[str, float] | None:
    """Sets the weights of a network from a file that `save_weights` wrote.

    Returns:
        the numbers that were saved with the weights; None for a missing file.
    """
    if not file.exists():
        return None
    with np.load(file) as content:
        network.set_weights([content[f"weight_{i}"] for i in range(len(network.weights))])
        return {name: float(content[name]) for name in content.files if not name.startswith("weight_")}


def save_weights(file: pathlib.Path, network: keras.Model, **numbers: float) -> None:
    """Writes the weights of a network, and numbers that belong to them, atomically."""
    weights = {f"weight_{i}": weight for i, weight in enumerate(network.get_weights())}
    with files.replacing(file) as scratch:
        np.savez(scratch, **numbers, **weights)  # ty: ignore[invalid-argument-type]  # allow_pickle is no array name
