"""A small run, trained briefly and exported once in every precision, for the tests here and in tests/runtime."""

import json
import pathlib

import keras
import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.export import PRECISIONS, export
from keras_gen.models import Autoencoder
from keras_gen.runs import Run

SIZE, CLASSES = 16, 3
_shared = {}  # pytest runs these fixtures again for tests/runtime, which imports them


def blobs(num: int, seed: int = 0, channels: int = 1, size: int = SIZE) -> np.ndarray:
    """Returns soft discs at random positions, float32 [num, size, size, channels] in [0, 1]."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size][..., None] / size
    centers = generator.uniform(0.2, 0.8, (num, 2, 1, 1, channels))
    widths = generator.uniform(0.1, 0.3, (num, 1, 1, channels))
    distance = (y - centers[:, 0]) ** 2 + (x - centers[:, 1]) ** 2
    return np.exp(-distance / widths**2).astype(np.float32)


def file_contents(folder) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def small_model(kind=Autoencoder, size: int = 8, latent: int = 3):
    encoder = keras.Sequential([keras.Input((size, size, 1)), keras.layers.Flatten(), keras.layers.Dense(latent)])
    decoder = keras.Sequential(
        [keras.Input((latent,)), keras.layers.Dense(size * size), keras.layers.Reshape((size, size, 1))]
    )
    return kind(encoder, decoder, seed=1)


def train_run(tmp_path_factory) -> Run:
    """Trains a conditional convolutional VAE on 16x16 blobs."""
    folder = tmp_path_factory.mktemp("run")
    images = blobs(320)
    labels = np.arange(320) % CLASSES
    np.savez(folder / "blobs.npz", image=images, label=labels)
    settings = {"network": "conv", "base_filters": 4, "latent_size": 4, "num_classes": CLASSES}
    model = zoo.build("vae", (SIZE, SIZE, 1), learning_rate=3e-3, **settings)
    model.fit(images, labels, batch_size=64, epochs=6, verbose=0)
    splits = {"train": "train[:256]", "validation": "train[256:]", "test": None}
    run = Run.create(
        folder / "vae",
        {
            "system": "vae",
            "image_shape": [SIZE, SIZE, 1],
            "settings": settings,
            "data": {
                "source": str(folder / "blobs.npz"),
                "splits": splits,
                "slices": "file",
                "binarize": None,
                "augment": [],
            },
            "training": {"batch_size": 64, "seed": 0},
        },
    )
    model.save(run.model_file)
    return run


def export_run(run: Run) -> pathlib.Path:
    """Exports a run in every precision, with int8 preferred, and as SavedModel."""
    order = ("int8", *(name for name in PRECISIONS if name != "int8"))
    return export(run, format=("tflite", "saved_model"), quantize=order)


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Run:
    """A run of a conditional convolutional VAE on 16x16 blobs."""
    if "run" not in _shared:
        _shared["run"] = train_run(tmp_path_factory)
    return _shared["run"]


@pytest.fixture(scope="session")
def model(run):
    """The run's model."""
    return run.load_model()


@pytest.fixture(scope="session")
def folder(run):
    """The run's export folder: every precision, with int8 preferred, and the SavedModel."""
    if "folder" not in _shared:
        _shared["folder"] = export_run(run)
    return _shared["folder"]


@pytest.fixture(scope="session")
def description(folder) -> dict:
    """The content of model.json."""
    return json.loads((folder / "model.json").read_text())


@pytest.fixture(scope="session")
def parity(folder) -> dict:
    """The content of parity.json."""
    return json.loads((folder / "parity.json").read_text())
