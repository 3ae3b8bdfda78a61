"""Small models with known codes, and a small run, for the tests of evaluation."""

from typing import Any

import keras
import numpy as np

from keras_gen import zoo
from keras_gen.distributions.posteriors import SCALE_FLOOR
from keras_gen.models import VAE
from keras_gen.runs import Run

# captions of small and of large discs
SIZES = np.array(["a small disc", "a large disc"])


def pixel_vae(slope: float, scale: float, head="bernoulli") -> VAE:
    """Returns a VAE of one pixel x with the posterior N(slope * x, scale^2) and the identity as decoder."""
    image = keras.Input((1, 1, 1))
    dense = keras.layers.Dense(2)
    encoder = keras.Model(image, dense(keras.layers.Flatten()(image)))
    dense.set_weights([np.array([[slope, 0.0]]), np.array([0.0, np.log(np.expm1(scale - SCALE_FLOOR)) - 0.5413])])
    code = keras.Input((1,))
    decoder = keras.Model(code, keras.layers.Reshape((1, 1, 1))(code))
    return VAE(encoder, decoder, head=head)


def pixels(values) -> np.ndarray:
    """Returns images of one pixel."""
    return np.asarray(values, np.float32).reshape(-1, 1, 1, 1)


def blobs(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns black-and-white discs, uint8 [num, 8, 8, 1], and whether they are large."""
    generator = np.random.default_rng(seed)
    center, radius = generator.uniform(2, 6, (num, 1, 1, 2)), generator.uniform(1, 3, (num, 1, 1))
    places = np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), axis=-1)
    inside = np.linalg.norm(places[None] - center, axis=-1) < radius
    return inside[..., None].astype(np.uint8) * 255, (radius[:, 0, 0] > 2).astype(np.int32)


def make_run(
    folder, system: str = "vae", *, gray: bool = False, name: str | None = None, epochs: int = 0, **settings: Any
):
    """Trains a run with MLPs on 8x8 discs: 150 for training, 50 for validation, 60 for the test.

    The discs are black and white, or with `gray` half as bright; a VAE has a head of binary pixels.
    """
    train, test = blobs(200, seed=1), blobs(60, seed=2)
    file = folder / "discs.npz"
    dim = 2 if gray else 1
    columns = {"x_train": train[0] // dim, "y_train": train[1], "x_test": test[0] // dim, "y_test": test[1]}
    if "vocabulary" in zoo.get(system).settings:
        columns |= {f"caption_{name}": SIZES[large] for name, (_, large) in (("train", train), ("test", test))}
    np.savez(file, **columns)  # ty: ignore[invalid-argument-type]  # allow_pickle is no column
    small: dict[str, Any] = {"network": "mlp", "latent_size": 2, "head": "bernoulli"}
    if settings.get("network", "mlp") == "mlp":
        small["hidden_units"] = 16
    known = zoo.get(system).settings
    settings = {**{name: value for name, value in small.items() if name in known}, **settings}
    config = {
        "system": system,
        "image_shape": [8, 8, 1],
        "settings": settings,
        "data": {
            "source": str(file),
            "splits": {"train": "train[:-50]", "validation": "train[-50:]", "test": "test"},
            "slices": "file",
            "binarize": None,
            "augment": [],
        },
        "training": {"epochs": epochs, "steps": None, "batch_size": 50, "seed": 0},
    }
    run = Run.create(folder / (name or system), config)
    model = zoo.build(system, (8, 8, 1), seed=0, **settings)
    if epochs:
        model.fit(run.dataset("train"), epochs=epochs, verbose=0)
    model.save(run.model_file)
    return run
