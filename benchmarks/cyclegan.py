"""CycleGAN: class transfer between MNIST and USPS, and true counterfactuals of plain and striped `shapes`.

usage: python -m benchmarks.cyclegan NAME [--usps usps.npz] [--seed 1] [--steps N] [--seconds S] [--threads 1]
                                          [--measure] [--data-dir DIR]

`python -m benchmarks.usps` writes `usps.npz`; its 16x16 pixels are enlarged to 28x28. Writes
benchmarks/results/cyclegan_NAME.json (a run for each seed), pictures/cyclegan_NAME.png, and the weights to
runs/benchmarks/. No label of the target is used in training. `--seconds` ends a training early; the learning rate
falls so that it reaches 0 by then.
"""

import argparse
import dataclasses
import json
import pathlib
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record
from keras_gen import data, networks, pictures, zoo
from keras_gen.data import FACTORS, Factors
from keras_gen.evaluation.evaluators.domain_translation import load_shapes
from keras_gen.evaluation.metrics.counterfactual_error import counterfactual_errors, counterfactuals
from keras_gen.evaluation.metrics.domain_transfer import domain_transfer

from .budget import Budget

WEIGHTS = pathlib.Path("runs/benchmarks")
DIGITS, SHAPES = (28, 28, 1), (32, 32, 3)
DOMAIN_FIELD, CLASSES = "texture", ("plain", "striped")
REPORTED = 250  # steps in an epoch, after which metrics are printed
COMPARED = 500


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        about: The purpose of the experiment.
        data: `"digits"` or `"shapes"`.
        steps: Training steps; in their second half the learning rate falls linearly towards 0.
        settings: Settings of `cyclegan`.
        batch_size: Pairs in a step.
        rate: Adam's learning rate, with beta_1 = 0.5.
        source: The domain of the semantic classifier, or None without one.
        directions: Directions in which the translation of digits is measured.
    """

    about: str
    data: str
    steps: int
    settings: dict = dataclasses.field(default_factory=dict)
    batch_size: int = 8
    rate: float = 5e-4
    source: str | None = None
    directions: tuple[str, ...] = ("a_to_b", "b_to_a")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return DIGITS if self.data == "digits" else SHAPES


# the background of digits is black, so the padding is zero; 34x34 patches cover the size of a digit
SMALL = {
    "base_filters": 16,
    "blocks": 3,
    "padding": "zero",
    "identity_weight": 0.0,
    "cycle_weight": 5.0,
    "discriminator_downsamples": 2,
    "ema": 0.999,
}
# the defaults for small images: an object fills a fifth of the image, and the rest is not generated
STRIPES = {
    "network": "unet",
    "masked": True,
    "base_filters": 32,
    "discriminator_downsamples": 2,
    "cycle_weight": 2.0,
    "identity_weight": 0.0,
}
CONFIGURATIONS = {
    "digits": Configuration(
        "MNIST -> USPS 95.6 %, USPS -> MNIST 96.4 %: CyCADA, table of digits, pixels alone", "digits", 24_000, SMALL
    ),
    "digits_semantic_mnist": Configuration(
        "MNIST -> USPS with semantic consistency, its classifier trained on MNIST",
        "digits",
        24_000,
        SMALL,
        source="a",
        directions=("a_to_b",),
    ),
    "digits_semantic_usps": Configuration(
        "USPS -> MNIST with semantic consistency, its classifier trained on USPS",
        "digits",
        24_000,
        SMALL,
        source="b",
        directions=("b_to_a",),
    ),
    "shapes": Configuration("plain <-> striped: a third of the error of the identity", "shapes", 20_000, STRIPES),
    "shapes_short": Configuration("as shapes, at the budget of the ablations", "shapes", 3000, STRIPES),
    "shapes_without_cycle": Configuration(
        "as shapes_short, without the cycle loss", "shapes", 3000, {**STRIPES, "cycle_weight": 0.0}
    ),
    "shapes_without_adversarial": Configuration(
        "as shapes_short, without the adversarial loss", "shapes", 3000, {**STRIPES, "adversarial_weight": 0.0}
    ),
}


# data


def pairs(it: Configuration, split: str, usps: str | None, **options: Any):
    """Returns batches of two domains: MNIST and USPS, or plain and striped `shapes`."""
    if it.data == "digits":
        if usps is None:
            raise SystemExit("Expected --usps usps.npz for the digits; write it with python -m benchmarks.usps")
        source = f"mnist,{usps}"
    else:
        source = "shapes"
        options.update(domains=CLASSES, domain_field=DOMAIN_FIELD)
    return data.load(source, split, image_shape=it.image_shape, **options)


def labeled(source: str, split: str, shape, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns a whole split: images and labels."""
    loaded = data.load(source, split, image_shape=shape, batch_size=5000, shuffle=False, data_dir=data_dir,
                       fields=("image", "label"))  # fmt: skip
    batches = list(loaded.as_numpy_iterator())
    return tuple(np.concatenate([batch[name] for batch in batches]) for name in ("image", "label"))


def domains(split: str, usps: str | None, data_dir: str | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns images and labels of a split of MNIST (a) and of USPS (b)."""
    return {"a": labeled("mnist", split, DIGITS, data_dir), "b": labeled(usps, split, DIGITS, data_dir)}


# training


def semantic_classifier(source: tuple[np.ndarray, np.ndarray], seed: int, num_images: int = 300_000) -> keras.Model:
    """Returns a classifier of the source that recognizes digits of other sizes: its training images are scaled."""
    keras.utils.set_random_seed(seed)
    network = networks.conv_encoder(DIGITS, 10, base_filters=16, dense_units=64)
    image = keras.Input(DIGITS)
    augmented = keras.layers.RandomZoom((-0.3, 0.3), (-0.3, 0.3), fill_mode="constant")(image)
    augmented = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant")(augmented)
    classifier = keras.Model(image, network(augmented))
    epochs = -(-num_images // len(source[0]))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(source[0]) // 64))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.fit(*source, batch_size=64, epochs=epochs, verbose=0)
    return network


def build(it: Configuration, seed: int, usps: str | None, data_dir: str | None):
    """Returns the compiled model."""
    settings = dict(it.settings)
    if it.source:
        source = domains("train", usps, data_dir)[it.source]
        settings |= {"classifier": semantic_classifier(source, seed), "source": it.source}
    return zoo.build("cyclegan", it.image_shape, seed=seed, optimizer=keras.optimizers.Adam(it.rate, 0.5), **settings)


def train(name: str, seed: int, steps: int | None, seconds: float | None, usps, data_dir) -> None:
    """Trains a configuration, and saves the model and a summary of the training."""
    it = CONFIGURATIONS[name]
    steps = steps or it.steps
    model = build(it, seed, usps, data_dir)
    batches = pairs(it, "train", usps, batch_size=it.batch_size, seed=seed, data_dir=data_dir, drop_remainder=True,
                    steps=min(REPORTED, steps))  # fmt: skip
    wall, work = time.perf_counter(), time.process_time()
    budget = Budget(seconds) if seconds else Budget(steps=steps)
    history = model.fit(batches, epochs=10_000, verbose=2, callbacks=[budget]).history
    about = {
        "last": {metric: float(values[-1]) for metric, values in history.items()},
        "steps": int(model.train_steps),
        "train_minutes": round((time.perf_counter() - wall) / 60, 1),
        "processor_minutes": round((time.process_time() - work) / 60, 1),
        "parameters": {"generator": model.generator_ab.count_params(),
                       "discriminator": model.discriminator_a.count_params()},
    }  # fmt: skip
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(_saved(name, seed, "keras"))
    _saved(name, seed, "json").write_text(json.dumps(about))


# metrics


def transfers(it: Configuration, model, seed: int, usps, data_dir) -> dict:
    """Returns accuracies on test images of the target of classifiers trained on translated, source or target images."""
    train_, test = (domains(split, usps, data_dir) for split in ("train", "test"))
    measures = {}
    for direction in it.directions:
        source, target = direction[0], direction[-1]
        translated = getattr(model, direction)(train_[source][0], batch_size=500), train_[source][1]
        result = domain_transfer(translated, train_[source], train_[target], test[target], seed=seed)
        measures[direction] = {key: round(value, 4) for key, value in result._asdict().items()}
        print(direction, measures[direction], flush=True)
    return measures


def counterfactual_metrics(it: Configuration, model, seed: int, usps, data_dir) -> dict:
    """Returns errors to the true counterfactuals, of translations and of the identity, in both directions."""
    whole = load_shapes("test", it.image_shape, data_dir)
    factors, measures = Factors.from_batch(whole), {}
    for direction, (source, target) in {"a_to_b": CLASSES, "b_to_a": CLASSES[::-1]}.items():
        rows = np.flatnonzero(getattr(factors, DOMAIN_FIELD) == FACTORS[DOMAIN_FIELD].index(source))[:COMPARED]
        images = whole["image"][rows]
        translated = getattr(model, direction)(images, batch_size=100)
        truths = counterfactuals(factors[rows], DOMAIN_FIELD, target, it.image_shape)
        errors = counterfactual_errors(images, translated, truths)
        measures[f"{source}_to_{target}"] = {
            "error": round(float(errors.translation.mean()), 5),
            "standard_error": round(float(errors.translation.std(ddof=1) / len(rows) ** 0.5), 5),
            "identity_error": round(float(errors.identity.mean()), 5),
            "ratio": round(errors.ratio, 3),
            "images": len(rows),
            "counterfactuals": len(truths),
        }
        if len(truths) > 1:  # the ratio of a model that generates true counterfactuals, but never the nearest one
            other = counterfactual_errors(images, truths[-1], truths[:-1])
            measures[f"{source}_to_{target}"]["ratio_of_another_counterfactual"] = round(other.ratio, 3)
    return measures


def picture(it: Configuration, model, usps, data_dir, rows: int = 10) -> np.ndarray:
    """Returns a picture of test images of both domains, their translations and cycle reconstructions."""
    batch = next(pairs(it, "test", usps, batch_size=rows, shuffle=False, data_dir=data_dir).as_numpy_iterator())
    panels = {}
    for title, columns in model.preview_images(batch).items():
        grids = {name: pictures.grid(images, columns=1, scale=2) for name, images in columns.items()}
        panels[title] = pictures.hstack(grids, pad=2)
    return pictures.hstack(panels)


def measure(name: str, seed: int, usps, data_dir) -> dict:
    """Returns metrics and training summary of a trained model, and writes its picture."""
    it, model = CONFIGURATIONS[name], keras.saving.load_model(_saved(name, seed, "keras"))
    file = record.RESULTS / "pictures" / f"cyclegan_{name}.png"
    pictures.save(file, picture(it, model, usps, data_dir))
    measures = (transfers if it.data == "digits" else counterfactual_metrics)(it, model, seed, usps, data_dir)
    return {"measures": measures, **json.loads(_saved(name, seed, "json").read_text())}


def _saved(name: str, seed: int, ending: str) -> pathlib.Path:
    return WEIGHTS / f"cyclegan_{name}_{seed}.{ending}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--usps", help="usps.npz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float, help="processor time after which the training ends")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", action="store_true", help="only measure the saved model")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    if not args.measure:
        train(args.name, args.seed, args.steps, args.seconds, args.usps, args.data_dir)
    result = measure(args.name, args.seed, args.usps, args.data_dir)
    it = CONFIGURATIONS[args.name]
    settings = {
        "rate": it.rate,
        "batch_size": it.batch_size,
        **it.settings,
        **({"source": it.source} if it.source else {}),
    }
    content = {"about": it.about, "settings": settings}
    print(json.dumps(result["measures"], indent=2))
    print("written to", record.write_run(f"cyclegan_{args.name}", args.seed, result, content))


if __name__ == "__main__":
    main()
