"""The app: every system has a demo, and exports without a suitable demo are refused."""

import importlib
import json
import shutil

import pytest

from demos import latent
from demos.app import build_app, build_tab, demo_module, launch
from demos.artifacts import Artifact
from keras_gen import zoo
from keras_gen.runtime.description import digest_of

from .conftest import SERVED as SERVED


def test_every_system_declares_its_demo():
    for system in zoo.SYSTEMS.values():
        assert callable(importlib.import_module(f"demos.{system.demo}").build_demo)
        assert system.compare_with in (None, *zoo.SYSTEMS)


@pytest.mark.parametrize(
    "system, endpoints, module",
    [
        ("vae", {"generate": ["noise"]}, "latent"),
        ("custom", {"generate": ["noise"]}, "generator"),
        ("custom", {"generate": ["noise", "label"], "infer": ["image"]}, "generator"),
        ("custom", {"generate": ["noise"], "encode": ["image"], "decode": ["z"], "reconstruct": ["image"]}, "latent"),
        ("custom", {"generate": ["noise", "embedding"]}, None),
        ("custom", {"translate": ["image"]}, None),
    ],
)
def test_demo_of_an_unknown_system_depends_on_its_endpoints(system, endpoints, module):
    signatures = {name: {"inputs": dict.fromkeys(inputs)} for name, inputs in endpoints.items()}
    description = {"system": system, "signatures": signatures, "noise": {"inputs": [{"name": "noise"}]}}
    assert demo_module(description) == module


def copy_with_changes(folder, artifact, change) -> Artifact:
    """Copies an export with a changed description."""
    copy = shutil.copytree(artifact.folder, folder / "export")
    description = json.loads((copy / "model.json").read_text())
    change(description)
    (copy / "model.json").write_text(json.dumps({**description, "digest": digest_of(description)}))
    return Artifact("altered", copy)


def test_a_model_of_an_unknown_system_gets_a_tab(tmp_path, artifacts, monkeypatch):
    artifact = copy_with_changes(tmp_path, artifacts[2], lambda description: description.update(system="crystal_ball"))
    monkeypatch.setattr(latent, "build_demo", lambda folder, name: (folder, name))
    assert build_tab(artifact) == (artifact.folder, artifact.name)


def test_a_model_without_a_suitable_demo_is_refused(tmp_path, artifacts):
    def change(description):
        description["system"] = "crystal_ball"
        del description["signatures"]["generate"]
        description["noise"]["inputs"] = []

    message = "(?s)Expected a system of the zoo.*received the system 'crystal_ball' with encode"
    with pytest.raises(ValueError, match=message):
        build_tab(copy_with_changes(tmp_path, artifacts[2], change))


def test_a_damaged_model_is_refused(tmp_path, artifacts):
    folder = shutil.copytree(artifacts[2].folder, tmp_path / "export")
    (folder / "model.tflite").write_bytes((folder / "model.tflite").read_bytes()[:-8])
    with pytest.raises(ValueError, match="model.tflite is damaged: size"):
        build_app([Artifact("broken", folder)])


class OccupiedPortApp:
    """An app whose port is in use."""

    def queue(self, **options):
        pass

    def launch(self, **options):
        raise OSError("Cannot find empty port in range: 8000-8000.")


def test_an_unavailable_port_is_named():
    with pytest.raises(
        OSError, match="Cannot listen on 127.0.0.1 port 8000: in use or not permitted.*choose another --port"
    ):
        launch(OccupiedPortApp(), port=8000)
    with pytest.raises(ValueError, match="Expected a port from 1 to 65535; received 70000"):
        launch(OccupiedPortApp(), port=70000)
