"""Adversarial models on MNIST compared with papers: one run of one configuration, its metrics and its picture.

usage: python -m benchmarks.adversarial NAME [--seed 1] [--epochs N] [--threads 1] [--measure] [--data-dir DIR]

Writes benchmarks/results/adversarial_NAME.json (a run for each seed), pictures/adversarial_NAME.png, and the weights to
runs/benchmarks/. Classes of codes are chosen on training images, and sigmas on validation images; errors are those of
all 10,000 test images.
"""

import argparse
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record
from keras_gen import data, evaluation, pictures, zoo
from keras_gen.batching import map_batches
from keras_gen.evaluation.features.classifier import feature_classifier
from keras_gen.evaluation.metrics import parzen as parzen_windows
from keras_gen.evaluation.metrics.mode_coverage import mode_coverage, modes_floor
from keras_gen.models import AdversarialModel, GenerativeModel, InfoGAN

GRAY, COLOR = (28, 28, 1), (28, 28, 3)
WEIGHTS = pathlib.Path("runs/benchmarks")


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        paper: The published figure.
        build: Seed -> model, not compiled.
        measure: (model, data directory, seed) -> {name: number}.
        epochs: Epochs of training.
        rates: Player -> initial learning rate of Adam; the key is "model" for a model without players.
        batch_size: Images in a step.
        beta_1: Adam's beta_1.
        cosine: Whether the learning rates fall to 0 with a cosine schedule.
        source: Name of the dataset.
        image_shape: (height, width, channels).
        load: Further arguments of `keras_gen.data.load`.
        picture: Model -> images for a grid of ten columns.
    """

    paper: str
    build: Callable[[int], GenerativeModel]
    measure: Callable[[GenerativeModel, str | None, int], dict]
    epochs: int
    rates: dict[str, float]
    batch_size: int = 100
    beta_1: float = 0.5
    cosine: bool = False
    source: str = "mnist"
    image_shape: tuple[int, int, int] = GRAY
    load: dict = dataclasses.field(default_factory=dict)
    picture: Callable[[GenerativeModel], np.ndarray] = lambda model: model.generate(100, seed=1)


def images_of(split: str, data_dir: str | None, source: str = "mnist", shape=GRAY) -> dict[str, np.ndarray]:
    """Returns a whole split: `image` and `label`."""
    loaded = data.load(source, split, image_shape=shape, batch_size=5000, shuffle=False, data_dir=data_dir,
                       fields=("image", "label"))  # fmt: skip
    batches = list(loaded.as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in ("image", "label")}


# metrics


def labeled(split: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns a split as (images, labels)."""
    return split["image"], split["label"]


def categories(model, images: np.ndarray) -> np.ndarray:
    """Returns probabilities of categories [num, K]: InfoGAN's Q, or q(y | x) of the adversarial autoencoder."""
    classify = (lambda batch: model.infer(batch)[0]) if isinstance(model, InfoGAN) else model.classify
    return map_batches(lambda rows: classify(images[rows]), len(images), batch_size=1000)


def category_error(model, data_dir, seed) -> dict:
    """Returns test errors when each category is mapped to the most frequent class of its training images."""
    train, test = (images_of(split, data_dir) for split in ("train", "test"))
    assigned = categories(model, train["image"]).argmax(1)
    classes = 1 + train["label"].max()
    table = {
        k: int(np.bincount(train["label"][assigned == k], minlength=classes).argmax()) for k in np.unique(assigned)
    }
    predicted = [table.get(k, -1) for k in categories(model, test["image"]).argmax(1)]
    return {
        "test_error": float(np.mean(predicted != test["label"])),
        "categories_used": len(table),
        "classes_named": len(set(table.values())),
    }


def cluster_error(model, data_dir, seed) -> dict:
    """Returns `category_error`, and the error by the class of each cluster's most probable training image."""
    train, test = (images_of(split, data_dir) for split in ("train", "test"))
    most_probable = categories(model, train["image"]).argmax(0)
    predicted = train["label"][most_probable][categories(model, test["image"]).argmax(1)]
    error = float(np.mean(predicted != test["label"]))
    return {"test_error_by_most_probable_image": error, **category_error(model, data_dir, seed)}


def classification_error(model, data_dir, seed) -> dict:
    """Returns test errors of the categories as classes."""
    test = images_of("test", data_dir)
    return {"test_error": float(np.mean(categories(model, test["image"]).argmax(1) != test["label"]))}


def parzen(model, data_dir, seed) -> dict:
    """Returns the Parzen estimate: mean log density of test images under kernels on 10,000 samples."""
    train, test = (images_of(split, data_dir)["image"] for split in ("train", "test"))
    generated = model.generate(10_000, seed=seed, batch_size=500)
    estimate = parzen_windows.parzen(generated, train[:10_000], train[-1000:], test)
    return {name: float(value) for name, value in estimate._asdict().items()}


def quality(model, data_dir, seed) -> dict:
    """Returns Frechet and kernel distance, precision, recall, density and coverage of 10,000 samples, with floors."""
    train, test = (images_of(split, data_dir) for split in ("train", "test"))
    features = evaluation.feature_extractor("classifier", train=labeled(train), test=labeled(test))
    generated = model.generate(10_000, seed=seed, batch_size=500)
    chosen = np.random.default_rng(seed).permutation(len(train["image"]))[:10_000]
    values, about = evaluation.sample_quality(
        generated, test["image"], train["image"][chosen], {"classifier": features}, pyramid=False, seed=seed
    )
    errors = {f"{k}_standard_error": v["standard_error"] for k, v in about.items() if v.get("standard_error")}
    return values | errors


def modes(model, data_dir, seed) -> dict:
    """Returns the modes of Stacked MNIST that 26,000 samples cover and the KL divergence from uniform, with floors."""
    classifier = feature_classifier(*(labeled(images_of(split, data_dir)) for split in ("train", "test")))
    generated = model.generate(26_000, seed=seed, batch_size=500)
    classes = np.stack([classifier.classify(generated[..., i : i + 1]) for i in range(3)], axis=1)
    coverage, floor = mode_coverage(classes), modes_floor(26_000, seed=seed)
    return {"modes": int(coverage.covered), "kl": float(coverage.kl), "floor_modes": float(floor.covered),
            "floor_kl": float(floor.kl)}  # fmt: skip


# configurations


def by_category(model) -> np.ndarray:
    """Returns ten samples of each category, one category per row."""
    return model.generate(10 * model.num_categories, seed=1, category=np.repeat(np.arange(model.num_categories), 10))


def autoencoder(categories: int | None, supervised: bool, network: str = "conv", **options) -> Callable:
    return lambda seed: zoo.build(
        "aae", GRAY, seed=seed, network=network, num_categories=categories, supervised=supervised, **options
    )


def system(key: str, shape=GRAY, **options) -> Callable:
    return lambda seed: zoo.build(key, shape, seed=seed, **options)


CODES = {"reconstruction": 1e-3, "discriminator": 3e-4, "regularization": 3e-4}
CATEGORIES = CODES | {"category_discriminator": 3e-4}
FAST_GENERATOR = {"discriminator": 2e-4, "generator": 1e-3}

CONFIGURATIONS = {
    "infogan": Configuration(
        "InfoGAN, section 7.2: 5 % error of the categorical code",
        system("infogan", base_filters=32, dense_units=512),
        category_error,
        epochs=12,
        batch_size=128,
        rates=FAST_GENERATOR,
        picture=by_category,
    ),
    "aae_1000_labels": Configuration(
        "Adversarial Autoencoders, table 2: 1.60 % with 1,000 labels",
        autoencoder(10, True, latent_size=10, discriminator_units=500),
        classification_error,
        epochs=40,
        rates=CATEGORIES | {"classification": 1e-3},
        cosine=True,
        load={"labeled": 1000},
        picture=by_category,
    ),
    "aae_1000_labels_shifted": Configuration(
        "Adversarial Autoencoders, table 2: 1.60 % with 1,000 labels, without shifted images",
        autoencoder(10, True, latent_size=10, discriminator_units=500),
        classification_error,
        epochs=20,
        rates=CATEGORIES | {"classification": 1e-3},
        cosine=True,
        load={"labeled": 1000, "augment": ("shift",)},
        picture=by_category,
    ),
    "aae_16_clusters": Configuration(
        "Adversarial Autoencoders, table 3: 9.55 % with 16 clusters",
        autoencoder(16, False, latent_size=5, discriminator_units=500),
        cluster_error,
        epochs=30,
        rates=CATEGORIES,
        cosine=True,
        picture=by_category,
    ),
    "gan_parzen": Configuration(
        "Goodfellow et al. 2014, table 1: 225 nats",
        system("gan", penalty={"name": "r1", "gamma": 4.0}),
        parzen,
        epochs=30,
        rates=FAST_GENERATOR,
    ),
    "aae_parzen": Configuration(
        "Adversarial Autoencoders, table 1: 340 nats with 10,000 samples",
        autoencoder(None, False, network="mlp", latent_size=8),
        parzen,
        epochs=30,
        rates=CODES,
        cosine=True,
    ),
    "dcgan": Configuration(
        "none: scores of these features are comparable among themselves alone",
        system("dcgan", base_filters=32),
        quality,
        epochs=12,
        batch_size=128,
        rates=FAST_GENERATOR,
    ),
    "vae": Configuration(
        "none: compared with dcgan by the same scores",
        system("vae", head="bernoulli"),
        quality,
        epochs=20,
        batch_size=128,
        rates={"model": 1e-3},
        beta_1=0.9,
        cosine=True,
    ),
    "stacked_dcgan": Configuration(
        "DCGAN in VEEGAN and PacGAN: 99 modes, KL 3.40",
        system("dcgan", COLOR, dense_units=0, base_filters=32),
        modes,
        epochs=15,
        batch_size=64,
        rates=FAST_GENERATOR,
        source="stacked_mnist",
        image_shape=COLOR,
    ),
    "stacked_packed": Configuration(
        "PacDCGAN2: 1,000 modes, KL 0.06",
        system("dcgan", COLOR, dense_units=0, base_filters=32, packing=2),
        modes,
        epochs=15,
        batch_size=64,
        rates=FAST_GENERATOR,
        source="stacked_mnist",
        image_shape=COLOR,
    ),
}


def train(name: str, seed: int, epochs: int | None, data_dir: str | None) -> None:
    """Trains a configuration, and saves the weights and a summary of the training."""
    it = CONFIGURATIONS[name]
    epochs = epochs or it.epochs
    batches = data.load(it.source, "train", image_shape=it.image_shape, batch_size=it.batch_size, seed=seed,
                        data_dir=data_dir, drop_remainder=True, **it.load)  # fmt: skip
    model = it.build(seed)

    def rate(start: float):
        return keras.optimizers.schedules.CosineDecay(start, epochs * len(batches)) if it.cosine else start

    optimizers = {player: keras.optimizers.Adam(rate(start), it.beta_1) for player, start in it.rates.items()}
    model.compile(optimizers if isinstance(model, AdversarialModel) else optimizers["model"])
    wall, work = time.perf_counter(), time.process_time()
    history = model.fit(batches, epochs=epochs, verbose=2).history
    wall, work = time.perf_counter() - wall, time.process_time() - work
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(_saved(name, seed, "keras"))
    about = {
        "last": {metric: float(values[-1]) for metric, values in history.items()},
        "epochs": epochs,
        "train_minutes": round(wall / 60, 1),
        "processor_minutes": round(work / 60, 1),
        "parameters": model.count_params(),
    }
    _saved(name, seed, "json").write_text(json.dumps(about))


def measure(name: str, seed: int, data_dir: str | None) -> dict:
    """Returns metrics and training summary of a trained model, and writes its picture."""
    it, model = CONFIGURATIONS[name], keras.saving.load_model(_saved(name, seed, "keras"))
    picture = record.RESULTS / "pictures" / f"adversarial_{name}.png"
    pictures.save(picture, pictures.grid(it.picture(model), columns=10))
    return {"measures": it.measure(model, data_dir, seed), **json.loads(_saved(name, seed, "json").read_text())}


def _saved(name: str, seed: int, ending: str) -> pathlib.Path:
    return WEIGHTS / f"adversarial_{name}_{seed}.{ending}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", action="store_true", help="only measure the saved model")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    if not args.measure:
        train(args.name, args.seed, args.epochs, args.data_dir)
    result = measure(args.name, args.seed, args.data_dir)
    name = f"adversarial_{args.name}"
    it = CONFIGURATIONS[args.name]
    settings = {"rates": it.rates, "batch_size": it.batch_size, "beta_1": it.beta_1, "cosine": it.cosine, **it.load}
    content = {"paper": it.paper, "settings": settings}
    print(json.dumps(result["measures"], indent=2))
    print("written to", record.write_run(name, args.seed, result, content))


if __name__ == "__main__":
    main()
