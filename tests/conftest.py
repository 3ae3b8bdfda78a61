"""Two logical CPU devices, so that replicas can be tested on any machine, and a small run that tests share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gen  # noqa: F401, I001 - before TensorFlow, whose kernels it chooses
import pytest
import tensorflow as tf

from .small import SMALL, write_images

_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.set_visible_devices([], "GPU")


@pytest.fixture(scope="session")
def toy_images(tmp_path_factory):
    """An .npz file, see tests/small.py."""
    return write_images(tmp_path_factory.mktemp("images") / "toy.npz")


@pytest.fixture(scope="session")
def toy_run(toy_images, tmp_path_factory):
    """A run of a VAE of four epochs on `toy_images`, which tests must not change."""
    from keras_gen import training

    return training.train("vae", toy_images, tmp_path_factory.mktemp("runs") / "toy", epochs=4, **SMALL)
