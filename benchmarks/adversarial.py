"""Adversarial models on MNIST compared with papers: one run of one configuration, its metrics and its picture.

usage: python -m benchmarks.adversarial NAME [--seed 1] [--epochs N] [--threads 1] [--measure] [--data-dir DIR]
       python -m benchmarks.adversarial NAME --validate [--set cosine=true options.latent_size=10 rates.generator=1e-3]
           [--stop N] [...]

Writes benchmarks/results/adversarial_NAME.json (a run for each seed), pictures/adversarial_NAME.png, and the weights to
runs/benchmarks/. Classes of codes are chosen on training images, and sigmas on validation images; errors are those of
all 10,000 test images.

Settings are chosen with --validate: the model is trained on the first 50,000 training images and measured on the other
10,000. Measures of such a run are printed and not written.
"""

import argparse
import dataclasses
import functools
import json
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

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
SPLITS = {"train": "train", "test": "test"}
HELD_OUT = {"train": "train[:50000]", "test": "train[50000:]"}


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        paper: The published figure.
        system: The model's key in the zoo.
        options: Its settings, as arguments of `zoo.build`.
        measure: (model, images of a split, seed) -> {name: number}.
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
    system: str
    options: dict[str, Any]
    measure: Callable[[GenerativeModel, "Images", int], dict]
    epochs: int
    rates: dict[str, float]
    batch_size: int = 100
    beta_1: float = 0.5
    cosine: bool = False
    source: str = "mnist"
    image_shape: tuple[int, int, int] = GRAY
    load: dict = dataclasses.field(default_factory=dict)
    picture: Callable[[GenerativeModel], np.ndarray] = lambda model: model.generate(100, seed=1)

    def build(self, seed: int) -> GenerativeModel:
        """Returns the model, not compiled."""
        return zoo.build(self.system, self.image_shape, seed=seed, **self.options)

    def settings(self) -> dict[str, Any]:
        """Returns what the result states of the training."""
        return {name: getattr(self, name) for name in ("options", "rates", "batch_size", "beta_1", "cosine", "load")}


Images = Callable[[str], dict[str, np.ndarray]]  # "train" or "test" -> `image` and `label` of all its images


@functools.cache
def images_of(split: str, data_dir: str | None) -> dict[str, np.ndarray]:
    """Returns a whole split of MNIST: `image` and `label`."""
    loaded = data.load("mnist", split, image_shape=GRAY, batch_size=5000, shuffle=False, data_dir=data_dir,
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


def category_error(model, images, seed) -> dict:
    """Returns test errors when each category is mapped to the most frequent class of its training images."""
    train, test = (images(split) for split in ("train", "test"))
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


def cluster_error(model, images, seed) -> dict:
    """Returns `category_error`, and the error by the class of each cluster's most probable training image."""
    train, test = (images(split) for split in ("train", "test"))
    most_probable = categories(model, train["image"]).argmax(0)
    predicted = train["label"][most_probable][categories(model, test["image"]).argmax(1)]
    error = float(np.mean(predicted != test["label"]))
    return {"test_error_by_most_probable_image": error, **category_error(model, images, seed)}


def classification_error(model, images, seed) -> dict:
    """Returns test errors of the categories as classes."""
    test = images("test")
    return {"test_error": float(np.mean(categories(model, test["image"]).argmax(1) != test["label"]))}


def parzen(model, images, seed) -> dict:
    """Returns the Parzen estimate: mean log density of test images under kernels on 10,000 samples."""
    train, test = (images(split)["image"] for split in ("train", "test"))
    generated = model.generate(10_000, seed=seed, batch_size=500)
    estimate = parzen_windows.parzen(generated, train[:10_000], train[-1000:], test)
    return {name: float(value) for name, value in estimate._asdict().items()}


def quality(model, images, seed) -> dict:
    """Returns Frechet and kernel distance, precision, recall, density and coverage of 10,000 samples, with floors."""
    train, test = (images(split) for split in ("train", "test"))
    features = evaluation.feature_extractor("classifier", train=labeled(train), test=labeled(test))
    generated = model.generate(10_000, seed=seed, batch_size=500)
    chosen = np.random.default_rng(seed).permutation(len(train["image"]))[:10_000]
    values, about = evaluation.sample_quality(
        generated, test["image"], train["image"][chosen], {"classifier": features}, pyramid=False, seed=seed
    )
    errors = {f"{k}_standard_error": v["standard_error"] for k, v in about.items() if v.get("standard_error")}
    return values | errors


def modes(model, images, seed) -> dict:
    """Returns the modes of Stacked MNIST that 26,000 samples cover and the KL divergence from uniform, with floors."""
    classifier = feature_classifier(*(labeled(images(split)) for split in ("train", "test")))
    generated = model.generate(26_000, seed=seed, batch_size=500)
    classes = np.stack([classifier.classify(generated[..., i : i + 1]) for i in range(3)], axis=1)
    coverage, floor = mode_coverage(classes), modes_floor(26_000, seed=seed)
    return {"modes": int(coverage.covered), "kl": float(coverage.kl), "floor_modes": float(floor.covered),
            "floor_kl": float(floor.kl)}  # fmt: skip


# configurations


def by_category(model) -> np.ndarray:
    """Returns ten samples of each category, one category per row."""
    return model.generate(10 * model.num_categories, seed=1, category=np.repeat(np.arange(model.num_categories), 10))


CODES = {"reconstruction": 1e-3, "discriminator": 3e-4, "regularization": 3e-4}
CATEGORIES = CODES | {"category_discriminator": 3e-4}
CONVOLUTIONS = {"network": "conv", "discriminator_units": 500}
FAST_GENERATOR = {"discriminator": 2e-4, "generator": 1e-3}

CONFIGURATIONS = {
    "infogan": Configuration(
        "InfoGAN, section 7.2: 5 % error of the categorical code",
        "infogan",
        {"base_filters": 32, "dense_units": 512},
        category_error,
        epochs=12,
        batch_size=128,
        rates=FAST_GENERATOR,
        picture=by_category,
    ),
    "aae_1000_labels": Configuration(
        "Adversarial Autoencoders, table 2: 1.60 % with 1,000 labels",
        "aae",
        CONVOLUTIONS | {"num_categories": 10, "supervised": True, "latent_size": 10},
        classification_error,
        epochs=40,
        rates=CATEGORIES | {"classification": 1e-3},
        cosine=True,
        load={"labeled": 1000},
        picture=by_category,
    ),
    "aae_1000_labels_shifted": Configuration(
        "Adversarial Autoencoders, table 2: 1.60 % with 1,000 labels, without shifted images",
        "aae",
        CONVOLUTIONS | {"num_categories": 10, "supervised": True, "latent_size": 10},
        classification_error,
        epochs=20,
        rates=CATEGORIES | {"classification": 1e-3},
        cosine=True,
        load={"labeled": 1000, "augment": ("shift",)},
        picture=by_category,
    ),
    "aae_16_clusters": Configuration(
        "Adversarial Autoencoders, table 3: 9.55 % with 16 clusters",
        "aae",
        {
            "network": "mlp",
            "num_categories": 16,
            "latent_size": 5,
            "hidden_units": 500,
            "discriminator_units": 500,
            "activation": "relu",
            "normalization": "batch",
            "logit_scale": 3.0,
        },
        cluster_error,
        epochs=30,
        rates=dict.fromkeys(CATEGORIES, 1e-3) | {"reconstruction": 5e-4},
        cosine=True,
        picture=by_category,
    ),
    "gan_parzen": Configuration(
        "Goodfellow et al. 2014, table 1: 225 nats",
        "gan",
        {"penalty": {"name": "r1", "gamma": 4.0}},
        parzen,
        epochs=30,
        rates=FAST_GENERATOR,
    ),
    "aae_parzen": Configuration(
        "Adversarial Autoencoders, table 1: 340 nats with 10,000 samples",
        "aae",
        {"network": "mlp", "latent_size": 8},
        parzen,
        epochs=30,
        rates=CODES,
        cosine=True,
    ),
    "dcgan": Configuration(
        "none: scores of these features are comparable among themselves alone",
        "dcgan",
        {"base_filters": 32, "upsampling": "transposed"},
        quality,
        epochs=12,
        batch_size=128,
        rates=FAST_GENERATOR,
    ),
    "vae": Configuration(
        "none: compared with dcgan by the same scores",
        "vae",
        {"head": "bernoulli"},
        quality,
        epochs=20,
        batch_size=128,
        rates={"model": 1e-3},
        beta_1=0.9,
        cosine=True,
    ),
    "stacked_dcgan": Configuration(
        "DCGAN in VEEGAN and PacGAN: 99 modes, KL 3.40",
        "dcgan",
        {"dense_units": 0, "base_filters": 32, "upsampling": "transposed"},
        modes,
        epochs=15,
        batch_size=64,
        rates=FAST_GENERATOR,
        source="stacked_mnist",
        image_shape=COLOR,
    ),
    "stacked_packed": Configuration(
        "PacDCGAN2: 1,000 modes, KL 0.06",
        "dcgan",
        {"dense_units": 0, "base_filters": 32, "upsampling": "transposed", "packing": 2},
        modes,
        epochs=15,
        batch_size=64,
        rates=FAST_GENERATOR,
        source="stacked_mnist",
        image_shape=COLOR,
    ),
}


def train(
    it: Configuration, saved: pathlib.Path, seed: int, splits: dict[str, str], stop: int | None, data_dir: str | None
) -> None:
    """Trains a configuration for all its epochs or `stop` of them, and saves the weights and a summary."""
    batches = data.load(it.source, splits["train"], image_shape=it.image_shape, batch_size=it.batch_size, seed=seed,
                        data_dir=data_dir, drop_remainder=True, **it.load)  # fmt: skip
    model = it.build(seed)

    def rate(start: float):
        return keras.optimizers.schedules.CosineDecay(start, it.epochs * len(batches)) if it.cosine else start

    optimizers = {player: keras.optimizers.Adam(rate(start), it.beta_1) for player, start in it.rates.items()}
    model.compile(optimizers if isinstance(model, AdversarialModel) else optimizers["model"])
    wall, work = time.perf_counter(), time.process_time()
    history = model.fit(batches, epochs=stop or it.epochs, verbose=2).history
    wall, work = time.perf_counter() - wall, time.process_time() - work
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(saved)
    about = {
        "last": {metric: float(values[-1]) for metric, values in history.items()},
        "epochs": stop or it.epochs,
        "train_minutes": round(wall / 60, 1),
        "processor_minutes": round(work / 60, 1),
        "parameters": model.count_params(),
    }
    saved.with_suffix(".json").write_text(json.dumps(about))


def changed(it: Configuration, settings: Sequence[str]) -> Configuration:
    """Returns a configuration with other settings.

    Args:
        it: The configuration.
        settings: Texts such as "cosine=true", "options.latent_size=10" or "rates.generator=1e-3"; values in JSON, and
            anything else is a string.

    Raises:
        ValueError: For a name that a configuration does not have.
    """
    for setting in settings:
        name, _, text = setting.partition("=")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        field, _, key = name.partition(".")
        if field not in it.settings():
            raise ValueError(f"Expected NAME=VALUE with a name of {', '.join(it.settings())}; received {setting!r}")
        it = dataclasses.replace(it, **{field: getattr(it, field) | {key: value} if key else value})
    return it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", action="store_true", help="only measure the saved model")
    parser.add_argument("--validate", action="store_true", help="hold out training images; write no result")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="other settings, with --validate")
    parser.add_argument("--stop", type=int, help="end after so many of the epochs, with --validate")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if (args.set or args.stop) and not args.validate:
        parser.error("Expected --set and --stop with --validate alone: results are those of the configurations")
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    it = changed(CONFIGURATIONS[args.name], args.set)
    it = dataclasses.replace(it, epochs=args.epochs or it.epochs)
    name = f"adversarial_{args.name}"
    splits = HELD_OUT if args.validate else SPLITS
    saved = WEIGHTS / f"{name}_{args.seed}{'_validation' if args.validate else ''}.keras"
    if not args.measure:
        train(it, saved, args.seed, splits, args.stop, args.data_dir)
    model = keras.saving.load_model(saved)
    measures = it.measure(model, lambda split: images_of(splits[split], args.data_dir), args.seed)
    print(json.dumps(measures, indent=2))
    if args.validate:
        return
    pictures.save(record.RESULTS / "pictures" / f"{name}.png", pictures.grid(it.picture(model), columns=10))
    run = {"measures": measures, **json.loads(saved.with_suffix(".json").read_text())}
    print("written to", record.write_run(name, args.seed, run, {"paper": it.paper, "settings": it.settings()}))


if __name__ == "__main__":
    main()
