"""The exported run of tests/export, and independent copies of it."""

import json
import shutil

import keras
import pytest

from keras_gen.models import Autoencoder
from keras_gen.runtime.description import digest_of
from tests.export.conftest import description, folder, model, parity, run  # noqa: F401  (fixtures)


@pytest.fixture(scope="session")
def device(folder, tmp_path_factory):  # noqa: F811
    """A copy of the export folder in another directory."""
    copy = tmp_path_factory.mktemp("device") / "model"
    shutil.copytree(folder, copy)
    return copy


@pytest.fixture(scope="session")
def renamed(device, tmp_path_factory):
    """A copy of the export with the class names 1, 2 and cat."""
    copy = tmp_path_factory.mktemp("named") / "model"
    shutil.copytree(device, copy)
    content = json.loads((copy / "model.json").read_text()) | {"labels": ["1", "2", "cat"]}
    content["digest"] = digest_of(content)
    (copy / "model.json").write_text(json.dumps(content))
    return copy


@pytest.fixture
def copied(folder, tmp_path):  # noqa: F811
    """A copy of the export, which a test may damage."""
    return shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("saved_model"))


@pytest.fixture(scope="session")
def identity() -> Autoencoder:
    """An autoencoder that reconstructs an image as its sigmoid, so that the input can be computed from the output."""
    image, code = keras.Input((8, 8, 1)), keras.Input((64,))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    return Autoencoder(encoder, keras.Model(code, keras.layers.Reshape((8, 8, 1))(code)))
