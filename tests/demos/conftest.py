"""Tiny exported models, and one app that serves them all, shared by the tests of the demos.

A test module that calls the app defines `SERVED`: name of each model that it needs -> a function that exports it.
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
# name -> system, image shape, settings; classes and ten numbers in a code for the pair, neither for the third
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


def exported(
    runs: pathlib.Path, name: str, system: str, shape, settings: dict, seed: int = 0, prepare=lambda model: None
) -> Artifact:
    """Exports a small float32 model of a system to the `export/` of a directory of that name.

    `prepare` may change the model first.
    """
    generator = np.random.default_rng(seed)
    model = zoo.build(system, shape, **settings)
    prepare(model)
    # weights of a size that makes codes matter: an untrained decoder would give one gray for all. Moving variances
    # stay positive
    model.set_weights([np.abs(weight + generator.normal(0, 0.5, weight.shape)) if variable.path.endswith("variance")
                       else weight + generator.normal(0, 0.5, weight.shape)
                       for variable, weight in zip(model.weights, model.get_weights(), strict=True)])  # fmt: skip
    data = {"image": generator.random((12, *shape), np.float32)}
    if hasattr(model, "tokenizer"):  # a text for each image
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
def served(arguments: list[str], log: pathlib.Path, cwd: pathlib.Path = ROOT):
    """Yields the local address of an app that python runs with these arguments."""
    with open(log, "w") as output:
        command = [sys.executable, *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=environment())
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield found[0]
    finally:
        process.terminate()
        process.wait(timeout=60)


SERVED = {
    name: functools.partial(exported, name=name, system=system, shape=shape, settings=settings, seed=seed)
    for seed, (name, (system, shape, settings)) in enumerate(MODELS.items())
}


@pytest.fixture(scope="session")
def served_models(request, tmp_path_factory) -> dict[str, Artifact]:
    """Name -> the export, for all models that the collected test modules need."""
    runs, needed = tmp_path_factory.mktemp("runs"), {}
    for item in request.session.items:
        needed |= getattr(getattr(item, "module", None), "SERVED", {})  # an example of a docstring has no module
    return {name: export(runs) for name, export in needed.items()}


@pytest.fixture(scope="session")
def artifacts(served_models) -> list[Artifact]:
    """The exports of `MODELS`."""
    return [served_models[name] for name in MODELS]


@pytest.fixture(scope="session")
def models(artifacts) -> dict[str, Runtime]:
    """Name -> the runtime on its export."""
    return {artifact.name: Runtime(artifact.folder) for artifact in artifacts}


@pytest.fixture(scope="session")
def log(tmp_path_factory) -> pathlib.Path:
    """The file with the app's console output."""
    return tmp_path_factory.mktemp("app") / "log.txt"


@pytest.fixture(scope="session")
def address(served_models, log):
    """The local address of `python -m demos` with all models, in a process that cannot import TensorFlow."""
    runs = [str(artifact.folder.parent) for artifact in served_models.values()]
    with served(["-c", WITHOUT_TENSORFLOW, *runs], log) as address:
        yield address


@pytest.fixture(scope="session")
def client(address, tmp_path_factory):
    """A client of the app, with one session for all tests."""
    made = gradio_client.Client(address, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def endpoints(client):
    """A function: name of a model -> names of its endpoints in the API, without the prefix."""
    names = [name.lstrip("/") for name in client.view_api(return_format="dict")["named_endpoints"]]
    return lambda model: {name.removeprefix(f"{model}_") for name in names if name.startswith(f"{model}_")}
