"""Two logical CPU devices, so that replicas can be tested on any machine, and fixtures that many tests share."""

import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gen  # noqa: F401, I001 - before TensorFlow, since it selects TensorFlow's kernels
import pytest
import tensorflow as tf

from .small import SMALL, write_images

_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.set_visible_devices([], "GPU")


@pytest.fixture(scope="session")
def toy_images(tmp_path_factory):
    """The path of an .npz file of images; see tests/small.py."""
    return write_images(tmp_path_factory.mktemp("images") / "toy.npz")


@pytest.fixture(scope="session")
def toy_run(toy_images, tmp_path_factory):
    """A run of a VAE with four epochs on `toy_images`, which tests must not change."""
    from keras_gen import training

    return training.train("vae", toy_images, tmp_path_factory.mktemp("runs") / "toy", epochs=4, **SMALL)


@pytest.fixture
def call(monkeypatch):
    """A function that runs a command of `keras-gen` and returns its result.

    Long messages are not wrapped, and a slow machine adds no lines about progress.
    """
    from typer.testing import CliRunner

    from keras_gen import cli, progress

    monkeypatch.setattr(progress, "ANNOUNCE_AFTER", float("inf"))

    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv(cli.DEBUG, raising=False)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def fail_if_blocked():
    """Fails a test that blocks forever, for example on the other end of a pipe."""

    def stop(*_):
        raise TimeoutError("an input made the reader wait")

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)
