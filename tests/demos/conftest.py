"""Tiny exported models, and one app that serves them all, shared by the tests of the demos.

A test module that calls the app defines `SERVED`: the name of each model that it needs -> a function that exports it.
"""

import contextlib
import functools
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
from keras_gen.export import export_model
from keras_gen.runtime import Runtime

GRAY, COLOR = (12, 12, 1), (10, 14, 3)
SETTINGS = {"network": "mlp", "hidden_units": 8}
# name -> (system, image shape, settings); the first two are conditional with ten-dimensional codes
MODELS = {
    "ae": ("autoencoder", GRAY, {**SETTINGS, "latent_size": 10, "num_classes": 3}),
    "vae": ("vae", GRAY, {**SETTINGS, "latent_size": 10, "num_classes": 3}),
    "flat": ("vae", COLOR, {**SETTINGS, "latent_size": 2, "head": "normal"}),
}
ROOT = pathlib.Path(__file__).parents[2]
WITHOUT_TENSORFLOW = """
import runpy, sys
for name in ("tensorflow", "keras", "tensorflow_probability"):
    sys.modules[name] = None
runpy.run_module("demos", run_name="__main__")
"""


def environment() -> dict[str, str]:
    """Returns the environment of a subprocess: unbuffered output, and the import path of this process."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def export_small_model(
    runs: pathlib.Path, name: str, system: str, shape, settings: dict, seed: int = 0, prepare=lambda model: None
) -> Artifact:
    """Exports a small float32 model of a system.

    Args:
        runs: The directory of runs.
        name: Name of the run, whose `export/` is written.
        system: Key of the system.
        shape: (height, width, channels) of the images.
        settings: Settings of the system.
        seed: Seed of weights and data.
        prepare: Called with the model before its weights are randomized.
    """
    generator = np.random.default_rng(seed)
    model = zoo.build(system, shape, **settings)
    prepare(model)
    # larger weights, so that codes matter: an untrained decoder would give nearly one gray for all of them; moving
    # variances stay positive
    model.set_weights([np.abs(weight + generator.normal(0, 0.5, weight.shape)) if variable.path.endswith("variance")
                       else weight + generator.normal(0, 0.5, weight.shape)
                       for variable, weight in zip(model.weights, model.get_weights(), strict=True)])  # fmt: skip
    data = {"image": generator.random((12, *shape), np.float32)}
    if hasattr(model, "tokenizer"):  # a caption for each image
        data["tokens"] = generator.integers(2, 2 + len(model.vocabulary), (12, model.length))
    folder = export_model(
        model,
        runs / name / "export",
        calibration={**data, "label": np.arange(12) % 3} if {"num_classes", "groups"} & set(settings) else data,
        format="tflite",
        quantize="none",
        system=system,
        title=zoo.get(system).title,
        labels=["circle", "square", "star"] if "num_classes" in settings else None,
    )
    return Artifact(name, folder)


@contextlib.contextmanager
def serve(arguments: list[str], log: pathlib.Path, cwd: pathlib.Path = ROOT):
    """Runs Python with these arguments, which start an app, and yields the app's local address."""
    with open(log, "w") as output:
        command = [sys.executable, *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=environment())
    try:
        while not (match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield match[0]
    finally:
        process.terminate()
        process.wait(timeout=60)


SERVED = {
    name: functools.partial(export_small_model, name=name, system=system, shape=shape, settings=settings, seed=seed)
    for seed, (name, (system, shape, settings)) in enumerate(MODELS.items())
}


@pytest.fixture(scope="session")
def served_models(request, tmp_path_factory) -> dict[str, Artifact]:
    """The exports (name -> artifact) that the collected test modules need."""
    runs, needed = tmp_path_factory.mktemp("runs"), {}
    for item in request.session.items:
        needed |= getattr(getattr(item, "module", None), "SERVED", {})  # items of doctests have no module
    return {name: export(runs) for name, export in needed.items()}


@pytest.fixture(scope="session")
def artifacts(served_models) -> list[Artifact]:
    """The exports of `MODELS`."""
    return [served_models[name] for name in MODELS]


@pytest.fixture(scope="session")
def models(artifacts) -> dict[str, Runtime]:
    """The runtimes of `MODELS` (name -> runtime)."""
    return {artifact.name: Runtime(artifact.folder) for artifact in artifacts}


@pytest.fixture(scope="session")
def log(tmp_path_factory) -> pathlib.Path:
    """The file with the app's console output."""
    return tmp_path_factory.mktemp("app") / "log.txt"


@pytest.fixture(scope="session")
def address(served_models, log):
    """The local address of `python -m demos` with all models, in a process that cannot import TensorFlow."""
    runs = [str(artifact.folder.parent) for artifact in served_models.values()]
    with serve(["-c", WITHOUT_TENSORFLOW, *runs], log) as address:
        yield address


@pytest.fixture(scope="session")
def client(address, tmp_path_factory):
    """A client of the app, with one session for all tests."""
    api_client = gradio_client.Client(address, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield api_client
    api_client.close()


@pytest.fixture(scope="session")
def endpoints(client):
    """A function from a model's name to the names of its endpoints in the API, without their prefix."""
    names = [name.lstrip("/") for name in client.view_api(return_format="dict")["named_endpoints"]]
    return lambda model: {name.removeprefix(f"{model}_") for name in names if name.startswith(f"{model}_")}
