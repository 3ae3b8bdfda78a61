import os

import numpy as np
import pytest

from keras_gen.runs.history import read_rows
from keras_gen.training.train import train

from ..small import SMALL

TFDS = os.environ.get("KERAS_GEN_TEST_TFDS")


@pytest.mark.skipif(not TFDS, reason="KERAS_GEN_TEST_TFDS names no TFDS directory that has (or can prepare) mnist")
def test_mnist_is_trained_at_28_pixels_with_binary_pixels(tmp_path):
    run = train("vae", "mnist", tmp_path / "run", epochs=2, steps=20, data_dir=TFDS, **SMALL)
    assert run.image_shape == (28, 28, 1)
    assert run.config["data"]["splits"] == {"train": "train[:-5000]", "validation": "train[-5000:]", "test": "test"}
    held_out = next(iter(run.dataset("validation")))["image"].numpy()
    assert set(np.unique(held_out)) == {0.0, 1.0} and 0.1 < held_out.mean() < 0.17  # MNIST's mean is 0.13
    losses = [row["val_loss"] for row in read_rows(run.metrics_file)]
    assert 784 * np.log(2) > losses[0] > losses[1] > 75  # better than a fair coin flip per pixel
