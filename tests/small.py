"""A small run: 200 images and a network whose training takes a second or two."""

import pathlib
from typing import Any

import numpy as np

# three steps per epoch
SMALL: dict[str, Any] = {
    "batch_size": 60,
    "settings": {"network": "mlp", "hidden_units": 8, "latent_size": 2},
    "verbose": 0,
}


def write_images(path: pathlib.Path) -> pathlib.Path:
    """Writes an .npz of 200 images 8x8x1 with labels of two classes: bright left halves, bright right halves.

    The images are nearly black and white, so that a VAE binarizes them.
    """
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 200)
    image = random.integers(0, 30, (200, 8, 8, 1))
    image[label == 0, :, :4] += 222
    image[label == 1, :, 4:] += 222
    np.savez(path, image=image.astype(np.uint8), label=label)
    return path
