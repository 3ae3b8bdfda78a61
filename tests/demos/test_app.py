"""The app: every system has its demo, and exports that cannot be shown are refused."""

import importlib
import json
import shutil

import pytest

from demos.app import DEMOS, build_app, launch
from demos.artifacts import Artifact
from keras_gen import zoo
from keras_gen.runtime.description import digest_of

from .conftest import SERVED as SERVED


def test_every_system_has_a_demo():
    assert set(DEMOS) == set(zoo.SYSTEMS)
    for module in DEMOS.values():
        assert callable(importlib.import_module(f"demos.{module}").build_demo)


def test_a_system_without_a_demo_is_refused(tmp_path, artifacts):
    folder = shutil.copytree(artifacts[2].folder, tmp_path / "export")
    description = {**json.loads((folder / "model.json").read_text()), "system": "crystal_ball"}
    (folder / "model.json").write_text(json.dumps({**description, "digest": digest_of(description)}))
    with pytest.raises(ValueError, match="no demo for 'crystal_ball'; there is one for autoencoder, vae, gan"):
        build_app([Artifact("ball", folder)])


def test_a_damaged_model_is_refused(tmp_path, artifacts):
    folder = shutil.copytree(artifacts[2].folder, tmp_path / "export")
    (folder / "model.tflite").write_bytes((folder / "model.tflite").read_bytes()[:-8])
    with pytest.raises(ValueError, match="model.tflite is damaged: size"):
        build_app([Artifact("broken", folder)])


class Occupied:
    """An app that finds its port taken."""

    def queue(self, **options):
        pass

    def launch(self, **options):
        raise OSError("Cannot find empty port in range: 8000-8000.")


def test_a_port_that_cannot_be_had_is_named():
    with pytest.raises(OSError, match="Cannot listen on 127.0.0.1 port 8000: taken.*choose another --port"):
        launch(Occupied(), port=8000)
    with pytest.raises(ValueError, match="from 1 to 65535; received 70000"):
        launch(Occupied(), port=70000)
