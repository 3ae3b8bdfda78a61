"""CycleGAN: classes carried over between MNIST and USPS, and true counterfactuals of plain and striped `shapes`.

usage: python -m benchmarks.cyclegan NAME [--usps usps.npz] [--seed 1] [--steps N] [--seconds S] [--threads 1]
                                          [--measure] [--data-dir DIR]

`usps.npz` is made by `python -m benchmarks.usps`; its 16x16 pixels are enlarged to 28x28. Writes
benchmarks/results/cyclegan_NAME.json (a run for each seed), pictures/cyclegan_NAME.png, and the weights to
runs/benchmarks/. No label of the target is used in training. `--seconds` ends a training early, at a learning rate
that has fallen as at its planned end.
"""

import argparse
import dataclasses
import json
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record
from keras_gen import data, networks, pictures, zoo
from keras_gen.data import FACTORS, Factors
from keras_gen.evaluation.evaluators.domain_translation import load_shapes
from keras_gen.evaluation.metrics.counterfactual_error import counterfactual_errors, counterfactuals
from keras_gen.evaluation.metrics.domain_transfer import domain_transfer

WEIGHTS = pathlib.Path("runs/benchmarks")
DIGITS, SHAPES = (28, 28, 1), (32, 32, 3)
BY, CLASSES = "texture", ("plain", "striped")
CHUNK = 250  # steps between two changes of the learning rate
COMPARED = 500


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        about: what it shows.
        data: `"digits"` or `"shapes"`.
        steps: of training; in the second half the learning rate falls linearly towards 0.
        settings: of the zoo.
        batch_size: pairs in a step.
        rate: Adam's learning rate, with beta_1 = 0.5.
        source: the domain of the semantic classifier, or None without one.
        directions: what is measured of digits.
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


# digits stand on black: a zero is what lies beyond the border. Patches of 34 pixels see how large a digit is
SMALL = {
    "base_filters": 16,
    "blocks": 3,
    "padding": "zero",
    "identity_weight": 0.0,
    "cycle_weight": 5.0,
    "discriminator_downsamples": 2,
}
# as the zoo has it for small images: an object fills a fifth of the image, and what stays need not be drawn
STRIPES = {
    **{"network": "unet", "masked": True, "base_filters": 32, "discriminator_downsamples": 2},
    **{"cycle_weight": 2.0, "identity_weight": 0.0},
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
    "shapes": Configuration("plain <-> striped: a third of the error of doing nothing", "shapes", 20_000, STRIPES),
    "shapes_short": Configuration("as shapes, at the budget of those without a loss", "shapes", 3000, STRIPES),
    "shapes_without_cycle": Configuration(
        "as shapes_short, without the cycle loss", "shapes", 3000, {**STRIPES, "cycle_weight": 0.0}
    ),
    "shapes_without_adversarial": Configuration(
        "as shapes_short, without the adversarial loss", "shapes", 3000, {**STRIPES, "adversarial_weight": 0.0}
    ),
}


# data


def pairs(it: Configuration, split: str, usps: str | None, **options):
    """Batches of two domains: MNIST and USPS, or plain and striped `shapes`."""
    if it.data == "digits":
        if usps is None:
            raise SystemExit("The digits need --usps usps.npz; python -m benchmarks.usps makes it")
        source = f"mnist,{usps}"
    else:
        source, options = "shapes", {**options, "domains": CLASSES, "domain_field": BY}
    return data.load(source, split, image_shape=it.image_shape, **options)


def labeled(source: str, split: str, shape, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
    """A whole split: images and labels."""
    loaded = data.load(source, split, image_shape=shape, batch_size=5000, shuffle=False, data_dir=data_dir,
                       fields=("image", "label"))  # fmt: skip
    batches = list(loaded.as_numpy_iterator())
    return tuple(np.concatenate([batch[name] for batch in batches]) for name in ("image", "label"))


def domains(split: str, usps: str | None, data_dir: str | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels of a split of MNIST (a) and of USPS (b)."""
    return {"a": labeled("mnist", split, DIGITS, data_dir), "b": labeled(usps, split, DIGITS, data_dir)}


# training


def semantic_classifier(source: tuple[np.ndarray, np.ndarray], seed: int, seen: int = 300_000) -> keras.Model:
    """A classifier of the source: images moved and scaled while it learns, so that it knows digits of other sizes."""
    keras.utils.set_random_seed(seed)
    network = networks.conv_encoder(DIGITS, 10, base_filters=16, dense_units=64)
    image = keras.Input(DIGITS)
    changed = keras.layers.RandomZoom((-0.3, 0.3), (-0.3, 0.3), fill_mode="constant")(image)
    changed = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant")(changed)
    trained = keras.Model(image, network(changed))
    epochs = -(-seen // len(source[0]))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(source[0]) // 64))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trained.compile(keras.optimizers.Adam(rate), loss)
    trained.fit(*source, batch_size=64, epochs=epochs, verbose=0)
    return network


def build(it: Configuration, seed: int, usps: str | None, data_dir: str | None):
    """The model, compiled."""
    settings = dict(it.settings)
    if it.source:
        source = domains("train", usps, data_dir)[it.source]
        settings |= {"classifier": semantic_classifier(source, seed), "source": it.source}
    return zoo.build("cyclegan", it.image_shape, seed=seed, optimizer=keras.optimizers.Adam(it.rate, 0.5), **settings)


def train(name: str, seed: int, steps: int | None, seconds: float | None, usps, data_dir) -> None:
    """Train, and keep the model and what the training was."""
    it = CONFIGURATIONS[name]
    steps = steps or it.steps
    model = build(it, seed, usps, data_dir)
    batches = pairs(it, "train", usps, batch_size=it.batch_size, seed=seed, data_dir=data_dir, drop_remainder=True,
                    steps=min(CHUNK, steps))  # fmt: skip
    wall, work, done, part = time.perf_counter(), time.process_time(), 0.0, 0
    history = {}
    while done < 1:
        model.optimizer.learning_rate = it.rate * min(1.0, 2 * (1 - done) + 1e-3)
        history = model.fit(batches, initial_epoch=part, epochs=part + 1, verbose=2).history
        part += 1
        done = part * min(CHUNK, steps) / steps
        if seconds:
            done = max(done, (time.perf_counter() - wall) / seconds)
    about = {
        "last": {metric: float(values[-1]) for metric, values in history.items()},
        "steps": int(model.train_steps),
        "train_minutes": round((time.perf_counter() - wall) / 60, 1),
        "processor_minutes": round((time.process_time() - work) / 60, 1),
        "parameters": {"generator": model.generator_ab.count_params(),
                       "discriminator": model.discriminator_a.count_params()},
    }  # fmt: skip
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(_kept(name, seed, "keras"))
    _kept(name, seed, "json").write_text(json.dumps(about))


# measures


def transfers(it: Configuration, model, seed: int, usps, data_dir) -> dict:
    """Accuracy on the real target's test images, learned from translated, untranslated and the target's own images."""
    train_, test = (domains(split, usps, data_dir) for split in ("train", "test"))
    found = {}
    for direction in it.directions:
        source, target = direction[0], direction[-1]
        made = getattr(model, direction)(train_[source][0], batch_size=500), train_[source][1]
        result = domain_transfer(made, train_[source], train_[target], test[target], seed=seed)
        found[direction] = {key: round(value, 4) for key, value in result._asdict().items()}
        print(direction, found[direction], flush=True)
    return found


def known(it: Configuration, model, seed: int, usps, data_dir) -> dict:
    """Errors to the true counterfactuals, and of doing nothing, both ways."""
    whole = load_shapes("test", it.image_shape, data_dir)
    factors, found = Factors.from_batch(whole), {}
    for direction, (given, wanted) in {"a_to_b": CLASSES, "b_to_a": CLASSES[::-1]}.items():
        rows = np.flatnonzero(getattr(factors, BY) == FACTORS[BY].index(given))[:COMPARED]
        images = whole["image"][rows]
        made = getattr(model, direction)(images, batch_size=100)
        truths = counterfactuals(factors[rows], BY, wanted, it.image_shape)
        errors = counterfactual_errors(images, made, truths)
        found[f"{given}_to_{wanted}"] = {
            "error": round(float(errors.translation.mean()), 5),
            "standard_error": round(float(errors.translation.std(ddof=1) / len(rows) ** 0.5), 5),
            "of_doing_nothing": round(float(errors.identity.mean()), 5),
            "ratio": round(errors.ratio, 3),
            "images": len(rows),
            "counterparts_each": len(truths),
        }
        if len(truths) > 1:  # the ratio of a generator that draws true counterfactuals, but never the nearest
            other = counterfactual_errors(images, truths[-1], truths[:-1])
            found[f"{given}_to_{wanted}"]["ratio_of_another_counterpart"] = round(other.ratio, 3)
    return found


def picture(it: Configuration, model, usps, data_dir, rows: int = 10) -> np.ndarray:
    """Test images of both domains, translated, and back again."""
    batch = next(pairs(it, "test", usps, batch_size=rows, shuffle=False, data_dir=data_dir).as_numpy_iterator())
    panels = {}
    for title, columns in model.preview_images(batch).items():
        shown = {name: pictures.grid(images, columns=1, scale=2) for name, images in columns.items()}
        panels[title] = pictures.hstack(shown, pad=2)
    return pictures.hstack(panels)


def measure(name: str, seed: int, usps, data_dir) -> dict:
    """What the result file says of a trained run; draws its picture."""
    it, model = CONFIGURATIONS[name], keras.saving.load_model(_kept(name, seed, "keras"))
    file = record.RESULTS / "pictures" / f"cyclegan_{name}.png"
    pictures.save(file, picture(it, model, usps, data_dir))
    found = (transfers if it.data == "digits" else known)(it, model, seed, usps, data_dir)
    return {"measures": found, **json.loads(_kept(name, seed, "json").read_text())}


def _kept(name: str, seed: int, ending: str) -> pathlib.Path:
    return WEIGHTS / f"cyclegan_{name}_{seed}.{ending}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--usps", help="usps.npz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float, help="end the training after so long")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", action="store_true", help="only measure what was trained before")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    if not args.measure:
        train(args.name, args.seed, args.steps, args.seconds, args.usps, args.data_dir)
    result = measure(args.name, args.seed, args.usps, args.data_dir)
    former = record.RESULTS / f"cyclegan_{args.name}.json"
    runs = json.loads(former.read_text())["runs"] if former.exists() else {}
    it = CONFIGURATIONS[args.name]
    settings = {
        "rate": it.rate,
        "batch_size": it.batch_size,
        **it.settings,
        **({"source": it.source} if it.source else {}),
    }
    content = {"about": it.about, "settings": settings, "runs": runs | {str(args.seed): result}}
    print(json.dumps(result["measures"], indent=2))
    print("written to", record.write(f"cyclegan_{args.name}", content))


if __name__ == "__main__":
    main()
