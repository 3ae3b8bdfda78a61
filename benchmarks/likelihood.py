"""Log-likelihood on MNIST beside Burda et al. (arXiv:1509.00519) and pythae's VampPrior.

    python -m benchmarks.likelihood train vae_k1 --out runs/likelihood
    python -m benchmarks.likelihood measure vae_k1 --out runs/likelihood

`train` fits a configuration and keeps its weights every few epochs with the seconds spent so far; `measure` estimates
the test log-likelihood of the last (or, where there are validation images, of the best) weights with 5,000
importance samples on the whole test set, and of all kept weights with fewer, for the curve. It writes
benchmarks/results/likelihood_NAME.json.
"""

import dataclasses
import pathlib
import time

import keras
import numpy as np
import typer

import keras_gen
from keras_gen import data, networks, runs
from keras_gen.evaluation.importance_sampling import log_likelihood
from keras_gen.layers import VampPrior
from keras_gen.models import VAE

from . import record

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
SHAPE = (28, 28, 1)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One run: how it is trained, and on which form of MNIST."""

    source: str = "mnist"
    epochs: int = 300
    batch_size: int = 100
    learning_rate: float = 3e-3
    num_samples: int = 1
    latent_size: int = 50
    network: str = "burda"
    prior: str = "normal"
    seed: int = 1
    keep_every: int = 10

    @property
    def binarize(self) -> str | None:
        return None if self.source == "binarized_mnist" else "dynamic"


CONFIGURATIONS = {
    "vae_k1": Configuration(),
    "iwae_k5": Configuration(num_samples=5),
}


def build(configuration: Configuration, steps: int, mean_image: np.ndarray) -> VAE:
    """The model, compiled with Adam under a cosine decay to 0 over the whole run.

    The decoder's output starts at the mean training image, which saves the first epochs.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(configuration.seed)
    size = configuration.latent_size
    options = {"hidden": (200, 200), "activation": "tanh"}
    encoder = networks.mlp_encoder(SHAPE, 2 * size, **options)
    decoder = networks.mlp_decoder(size, SHAPE, **options)
    mean = np.clip(mean_image.ravel(), 1e-3, 1 - 1e-3)
    decoder.layers[-2].bias.assign(np.log(mean / (1 - mean)))
    prior = VampPrior(size, 500, SHAPE) if configuration.prior == "vamp" else None
    model = VAE(encoder, decoder, prior=prior, num_samples=configuration.num_samples, seed=configuration.seed)
    decay = keras.optimizers.schedules.CosineDecay(configuration.learning_rate, steps)
    model.compile(keras.optimizers.Adam(decay), jit_compile=True, steps_per_execution=10)
    return model


class Keep(keras.callbacks.Callback):
    """Keeps the weights every few epochs, and the seconds of training until then."""

    def __init__(self, folder: pathlib.Path, every: int):
        super().__init__()
        self.folder, self.every, self.curve, self.seconds = folder, every, [], 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += time.perf_counter() - self.begun
        if (epoch + 1) % self.every == 0:
            self.model.save_weights(self.folder / f"epoch_{epoch + 1:04}.weights.h5")
            self.curve.append(
                {"epoch": epoch + 1, "seconds": round(self.seconds, 1), "train_bound": -float(logs["loss"])}
            )
            runs.write_json(self.folder / "curve.json", {"curve": self.curve})
            print(self.curve[-1], flush=True)


@app.callback()
def main():
    """See the module's own text."""


@app.command()
def train(name: str, out: pathlib.Path = pathlib.Path("runs/likelihood"), data_dir: str | None = None):
    """Train a configuration: vae_k1, iwae_k5, ..."""
    configuration = CONFIGURATIONS[name]
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    arguments = {"image_shape": SHAPE, "binarize": configuration.binarize, "data_dir": data_dir}
    images = data.load(
        configuration.source, "train", batch_size=configuration.batch_size, seed=configuration.seed, **arguments
    )
    mean_image = _images(configuration, "train", data_dir).mean(axis=0)
    model = build(configuration, configuration.epochs * images.info.num_batches, mean_image)
    model.fit(images, epochs=configuration.epochs, callbacks=[Keep(folder, configuration.keep_every)], verbose=0)
    model.save(folder / "model.keras")


@app.command()
def measure(
    name: str,
    out: pathlib.Path = pathlib.Path("runs/likelihood"),
    data_dir: str | None = None,
    samples: int = 5000,
    images: int = 10_000,
    curve_samples: int = 200,
    curve_images: int = 1000,
):
    """Estimate the test log-likelihood of a trained configuration, and of its kept weights."""
    configuration = CONFIGURATIONS[name]
    folder = out / name
    model = keras_gen.load(folder / "model.keras")
    test = _images(configuration, "test", data_dir)
    curve = runs.read_json(folder / "curve.json")["curve"]
    for point in curve:
        model.load_weights(folder / f"epoch_{point['epoch']:04}.weights.h5")
        point["nll"] = -float(np.mean(log_likelihood(model, test[:curve_images], curve_samples)))
        print(point, flush=True)
    chosen = curve[-1]
    if configuration.binarize is None:  # a fixed training set can be fitted too well: the validation images choose
        held_out = _images(configuration, "validation", data_dir)[:curve_images]
        for point in curve:
            model.load_weights(folder / f"epoch_{point['epoch']:04}.weights.h5")
            point["validation_nll"] = -float(np.mean(log_likelihood(model, held_out, curve_samples)))
        chosen = min(curve, key=lambda point: point["validation_nll"])
    model.load_weights(folder / f"epoch_{chosen['epoch']:04}.weights.h5")
    values = log_likelihood(model, test[:images], samples)
    result = {
        "configuration": dataclasses.asdict(configuration),
        "nll": -float(np.mean(values)),
        "nll_standard_error": float(np.std(values) / len(values) ** 0.5),
        "samples": samples,
        "images": len(values),
        "epoch": chosen["epoch"],
        "training_seconds": chosen["seconds"],
        "curve": curve,
        "curve_samples": curve_samples,
        "curve_images": curve_images,
    }
    print(f"{name}: nll {result['nll']:.2f}; wrote {record.write(f'likelihood_{name}', result)}")


def _images(configuration: Configuration, split: str, data_dir: str | None) -> np.ndarray:
    """All images of a split, in order, binarized as in training (with the seed of evaluation)."""
    arguments = {"image_shape": SHAPE, "binarize": configuration.binarize, "data_dir": data_dir}
    batches = data.load(configuration.source, split, batch_size=1000, seed=0, shuffle=False, **arguments)
    return np.concatenate([batch["image"].numpy() for batch in batches])


if __name__ == "__main__":
    app()
