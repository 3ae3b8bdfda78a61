"""Three tiny exported models, and one app that serves them all, shared by the tests of the demos."""

import os
import pathlib
import re
import subprocess
import sys
import time

import gradio_client
import numpy as np
import pytest

from demos.artifacts import Artifact
from keras_gen import zoo
from keras_gen.export import Runtime, export_model

GRAY, COLOUR = (12, 12, 1), (10, 14, 3)
SETTINGS = {"network": "mlp", "width": 8}
# name -> system, image shape, settings; classes and ten numbers in a code for the pair, neither for the third
MODELS = {
    "ae": ("autoencoder", GRAY, {**SETTINGS, "latent_size": 10, "num_classes": 3}),
    "vae": ("vae", GRAY, {**SETTINGS, "latent_size": 10, "num_classes": 3}),
    "flat": ("vae", COLOUR, {**SETTINGS, "latent_size": 2, "head": "normal"}),
}
ROOT = pathlib.Path(__file__).parents[2]
WITHOUT_TENSORFLOW = """
import sys
for name in ("tensorflow", "keras", "tensorflow_probability"):
    sys.modules[name] = None
from demos.__main__ import main
main(sys.argv[1:])
"""


def environment() -> dict[str, str]:
    """For a process of its own: output at once, and the imports of this one."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory) -> list[Artifact]:
    """The exports of `MODELS`, float32, each in the `export/` of a directory of its name."""
    runs, found = tmp_path_factory.mktemp("runs"), []
    generator = np.random.default_rng(0)
    for name, (system, shape, settings) in MODELS.items():
        model = zoo.build(system, shape, **settings)
        # weights of a size that makes codes matter: an untrained decoder would give one gray for all
        model.set_weights([weight + generator.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
        data = {"image": generator.random((32, *shape), np.float32)}
        folder = export_model(
            model,
            runs / name / "export",
            calibration={**data, "label": np.arange(32) % 3} if "num_classes" in settings else data,
            format="tflite",
            quantize="none",
            system=system,
            title=zoo.get(system).title,
            labels=["circle", "square", "star"] if "num_classes" in settings else None,
        )
        found.append(Artifact(name, folder))
    return found


@pytest.fixture(scope="session")
def models(artifacts) -> dict[str, Runtime]:
    """Name -> the runtime on its export."""
    return {artifact.name: Runtime(artifact.folder) for artifact in artifacts}


@pytest.fixture(scope="session")
def address(artifacts, tmp_path_factory):
    """The address on loopback of `python -m demos` with all of them, where TensorFlow cannot be imported."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, *(str(artifact.folder.parent) for artifact in artifacts)]
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment())
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield found[0]
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def client(address, tmp_path_factory):
    """A client of the app, with one session for all tests."""
    made = gradio_client.Client(address, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield made
    made.close()
