"""Runs on 200 toy images, small enough to be trained in every test that needs one."""

import numpy as np
import pytest

from keras_gen import training

# three steps in an epoch
SMALL = {"batch_size": 60, "settings": {"network": "mlp", "width": 8, "latent_size": 2}, "verbose": 0}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """An .npz of 200 images 8x8x1 with labels of two classes: bright left halves, bright right halves."""
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 200)
    image = random.integers(0, 80, (200, 8, 8, 1))
    image[label == 0, :, :4] += 150
    image[label == 1, :, 4:] += 150
    path = tmp_path_factory.mktemp("images") / "toy.npz"
    np.savez(path, image=image.astype(np.uint8), label=label)
    return path


@pytest.fixture(scope="session")
def finished(images, tmp_path_factory):
    """An uninterrupted run of four epochs; do not write into it."""
    return training.train("vae", images, tmp_path_factory.mktemp("runs") / "finished", epochs=4, **SMALL)
