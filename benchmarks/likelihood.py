"""Log-likelihood on MNIST compared with Burda et al. (arXiv:1509.00519) and VampPrior of pythae.

    python -m benchmarks.likelihood choose
    python -m benchmarks.likelihood train vae_k1
    python -m benchmarks.likelihood measure vae_k1

`choose` compares learning rates in short runs on the first 50,000 training images, by the ELBO of the other 10,000.
`train` fits a configuration and saves its weights every few epochs with the processor seconds spent so far; `measure`
estimates the test log-likelihood of the last (or, where there are validation images, of the best) weights with 5,000
importance samples on the whole test set, and that of all saved weights with fewer samples, for the curve. It writes
benchmarks/results/likelihood_NAME.json. `figure` draws the curves of all results.
"""

import dataclasses
import pathlib
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import typer

import keras_gen
from benchmarks import record
from keras_gen import data, networks, runs
from keras_gen.evaluation.metrics.log_likelihood import log_likelihood
from keras_gen.layers import FlowPrior, MixturePrior, VampPrior
from keras_gen.models import VAE

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
SHAPE = (28, 28, 1)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One run: its training and its version of MNIST.

    `tuning_epochs` further epochs train the bound with `tuning_samples` samples; the learning rate falls from a tenth
    to 0. `weight_decay` is that of AdamW.
    """

    source: str = "mnist"
    epochs: int = 300
    batch_size: int = 100
    learning_rate: float = 3e-3
    num_samples: int = 1
    tuning_epochs: int = 0
    tuning_samples: int = 10
    latent_size: int = 50
    network: str = "burda"  # or "conv" with `base_filters`
    base_filters: int = 16
    weight_decay: float = 0.0
    prior: str = "normal"
    seed: int = 1
    save_every: int = 10

    @property
    def binarize(self) -> str | None:
        return None if self.source == "binarized_mnist" else "dynamic"


CONFIGURATIONS = {
    "vae_k1": Configuration(),
    "vae_k1_long": Configuration(epochs=600, save_every=20),
    "iwae_k5": Configuration(num_samples=5),
    "iwae_k5_long": Configuration(num_samples=5, epochs=900, save_every=30),
    "static": Configuration(
        source="binarized_mnist",
        epochs=80,
        learning_rate=2e-3,
        tuning_epochs=8,
        latent_size=40,
        network="conv",
        prior="mixture",
        save_every=4,
    ),
    "static_flow": Configuration(
        source="binarized_mnist",
        epochs=120,
        learning_rate=2e-3,
        tuning_epochs=12,
        latent_size=40,
        network="conv",
        base_filters=32,
        weight_decay=0.02,
        prior="flow",
        save_every=4,
    ),
}
OUT = typer.Option(pathlib.Path("runs/likelihood"), help="folder of the weights")
DATA_DIR = typer.Option(None, help="TFDS directory")
THREADS = typer.Option(0, help="threads of an operation; 1 leaves the other cores to another run, 0 uses all of them")


def build(configuration: Configuration, steps: int, mean_image: np.ndarray) -> VAE:
    """Returns the model, compiled with Adam under a cosine decay to 0 over the whole run.

    The decoder's output starts at the mean training image, which saves the first epochs.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(configuration.seed)
    size, burda = configuration.latent_size, configuration.network == "burda"
    if burda:
        options: dict[str, Any] = {"hidden_units": (200, 200), "activation": "tanh"}
        encoder = networks.mlp_encoder(SHAPE, 2 * size, **options)
        decoder = networks.mlp_decoder(size, SHAPE, **options)
        mean = np.clip(mean_image.ravel(), 1e-3, 1 - 1e-3)
        decoder.layers[-2].bias.assign(np.log(mean / (1 - mean)))
    else:
        encoder = networks.conv_encoder(SHAPE, 2 * size, base_filters=configuration.base_filters)
        decoder = networks.conv_decoder(size, SHAPE, base_filters=configuration.base_filters)
    prior = {
        "normal": lambda: None,
        "mixture": lambda: MixturePrior(size, 200, seed=configuration.seed),
        "flow": lambda: FlowPrior(size, seed=configuration.seed),
        "vamp": lambda: VampPrior(size, 500, SHAPE, seed=configuration.seed),
    }[configuration.prior]()
    model = VAE(encoder, decoder, prior=prior, num_samples=configuration.num_samples, seed=configuration.seed)
    _compile(model, configuration, configuration.learning_rate, steps)
    return model


def _compile(model: VAE, configuration: Configuration, learning_rate: float, steps: int) -> None:
    decay = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    # XLA's convolutions on a CPU are slower than oneDNN's
    jit = configuration.network == "burda"
    optimizer = keras.optimizers.AdamW(decay, weight_decay=configuration.weight_decay)
    model.compile(optimizer, jit_compile=jit, steps_per_execution=10)


class SaveWeights(keras.callbacks.Callback):
    """Saves the weights every few epochs, and the processor seconds of training until then."""

    def __init__(self, folder: pathlib.Path, every: int, threads: int):
        super().__init__()
        self.folder, self.every, self.threads, self.curve, self.seconds = folder, every, threads, [], 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += time.process_time() - self.start
        if (epoch + 1) % self.every == 0:
            self.model.save_weights(self.folder / f"epoch_{epoch + 1:04}.weights.h5")
            self.curve.append(
                {"epoch": epoch + 1, "seconds": round(self.seconds, 1), "train_bound": -float(logs["loss"])}
            )
            runs.write_json(self.folder / "curve.json", {"threads": self.threads, "curve": self.curve})
            print(self.curve[-1], flush=True)


@app.callback()
def main():
    """Runs the command line; see the docstring of the module."""


@app.command()
def choose(data_dir: str | None = DATA_DIR, threads: int = THREADS, epochs: int = 30):
    """Trains vae_k1 briefly at several learning rates, and prints the ELBO of held-out training images."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    for rate in (1e-3, 2e-3, 3e-3, 6e-3):
        configuration = Configuration(epochs=epochs, learning_rate=rate)
        images = _load(configuration, "train[:50000]", data_dir)
        model = build(configuration, epochs * images.info.num_batches, _all(images).mean(axis=0))
        model.fit(images, epochs=epochs, verbose=0)
        held_out = _load(configuration, "train[50000:]", data_dir, evaluation=True)
        elbo = model.evaluate(held_out, verbose=0, return_dict=True)["elbo"]
        print(f"learning rate {rate}: ELBO {elbo:.2f}", flush=True)


@app.command()
def train(name: str, out: pathlib.Path = OUT, data_dir: str | None = DATA_DIR, threads: int = THREADS):
    """Trains a configuration: vae_k1, iwae_k5, ..."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    configuration = CONFIGURATIONS[name]
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    images = _load(configuration, "train", data_dir)
    model = build(configuration, configuration.epochs * images.info.num_batches, _all(images).mean(axis=0))
    save_weights = SaveWeights(folder, configuration.save_every, threads)
    model.fit(images, epochs=configuration.epochs, callbacks=[save_weights], verbose=0)
    if configuration.tuning_epochs:
        model.num_samples, last = configuration.tuning_samples, configuration.epochs + configuration.tuning_epochs
        steps = configuration.tuning_epochs * images.info.num_batches
        _compile(model, configuration, configuration.learning_rate / 10, steps)
        model.fit(images, initial_epoch=configuration.epochs, epochs=last, callbacks=[save_weights], verbose=0)
    model.save(folder / "model.keras")


@app.command()
def measure(
    name: str,
    out: pathlib.Path = OUT,
    data_dir: str | None = DATA_DIR,
    threads: int = THREADS,
    samples: int = 5000,
    images: int = 10_000,
    curve_samples: int = 200,
    curve_images: int = 1000,
):
    """Estimates the test log-likelihood of a trained configuration, and of its saved weights."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    configuration = CONFIGURATIONS[name]
    folder = out / name
    model = keras_gen.load(folder / "model.keras")
    test = _all(_load(configuration, "test", data_dir, evaluation=True))
    trained = runs.read_json(folder / "curve.json")
    curve = trained["curve"]
    for point in curve:
        model.load_weights(folder / f"epoch_{point['epoch']:04}.weights.h5")
        point["nll"] = -float(np.mean(log_likelihood(model, test[:curve_images], curve_samples)))
        print(point, flush=True)
    chosen = curve[-1]
    if (
        configuration.binarize is None
    ):  # the model can overfit a fixed training set: the best epoch on validation images
        held_out = _all(_load(configuration, "validation", data_dir, evaluation=True))[:curve_images]
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
        "training_threads": trained["threads"],
        "curve": curve,
        "curve_samples": curve_samples,
        "curve_images": curve_images,
    }
    print(f"{name}: nll {result['nll']:.2f}; wrote {record.write(f'likelihood_{name}', result)}")


@app.command()
def figure():
    """Draws all results' curves, against time and against epochs, to results/pictures/likelihood.png."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for file in sorted(record.RESULTS.glob("likelihood_*.json")):
        result = runs.read_json(file)
        nll = [point["nll"] for point in result["curve"]]
        for ax, key, scale in ((axes[0], "seconds", 60), (axes[1], "epoch", 1)):
            ax.plot([point[key] / scale for point in result["curve"]], nll, label=file.stem.removeprefix("likelihood_"))
    axes[0].set(xlabel="minutes of training", ylabel="nats per test image, -log p(x)")
    axes[1].set(xlabel="epochs")
    for ax in axes:
        ax.grid(alpha=0.3)
        ax.legend()
    picture = record.RESULTS / "pictures" / "likelihood.png"
    fig.savefig(picture, dpi=100)
    print(f"wrote {picture}")


def _load(configuration: Configuration, split: str, data_dir: str | None, evaluation: bool = False):
    """Returns a split in batches; for evaluation in order and binarized with another seed."""
    arguments: dict[str, Any] = {"image_shape": SHAPE, "binarize": configuration.binarize, "data_dir": data_dir}
    if evaluation:
        return data.load(configuration.source, split, batch_size=1000, seed=0, shuffle=False, **arguments)
    return data.load(
        configuration.source, split, batch_size=configuration.batch_size, seed=configuration.seed, **arguments
    )


def _all(images) -> np.ndarray:
    """Returns all images of a dataset."""
    return np.concatenate([batch["image"].numpy() for batch in images])


if __name__ == "__main__":
    app()
