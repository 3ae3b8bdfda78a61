"""StarGAN on data with known counterfactuals: emoji in five skin tones, colors of `shapes`, expressions of faces.

usage: python -m benchmarks.stargan skin_tones --zip twemoji.zip [--seed 1] [--seconds 1500] [--threads 2] [--measure]
       python -m benchmarks.stargan colors [--data-dir DIR]
       python -m benchmarks.stargan expressions [--updates 1500]

Writes benchmarks/results/stargan_NAME.json (a run for each seed), pictures/stargan_NAME.png, and the weights to
runs/benchmarks/. The learning rate falls to 0 over the second half. Two runs of `--seconds` agree only if their
machines are equally fast; those of `--updates` agree on any machine. No tone of a held-out emoji is in the training
set; classifiers are trained on the training images only.
"""

import argparse
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record, skin_tones
from benchmarks.drawn_faces import EXPRESSIONS, draw_expressions
from keras_gen import data, pictures, zoo
from keras_gen.data import FACTORS, Factors, render_shapes
from keras_gen.evaluation.metrics.counterfactual_error import counterfactual_errors
from keras_gen.models import StarGAN

from .budget import Budget
from .image_classifier import ImageClassifier

WEIGHTS = pathlib.Path("runs/benchmarks")


@dataclasses.dataclass(frozen=True)
class Domains:
    """Images of several domains with known counterfactuals.

    Attributes:
        names: Names of the domains.
        train: Training images [num, size, size, 3] and their domains [num].
        counterfactuals: held-out images in every domain, [num, domains, size, size, 3].
        factors: Name of a factor that translation should preserve -> its classes in training images [num] and in
            held-out ones [num].
    """

    names: tuple[str, ...]
    train: tuple[np.ndarray, np.ndarray]
    counterfactuals: np.ndarray
    factors: dict[str, tuple[np.ndarray, np.ndarray]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        domains: (arguments, size, validation) -> Domains; with `validation`, other images are held out, for choosing
            settings.
        settings: Settings of the system.
        size: Height and width of the images.
        batch_size: Images in a step; each critic update has an equal part of them.
        learning_rate: Adam's initial learning rate, for both players.
        flip: Whether images are mirrored at random.
        classifier_epochs: Epochs of the classifiers that measure translations.
        pool: Whether these classifiers ignore positions.
    """

    domains: Callable[..., Domains]
    settings: dict
    size: int
    batch_size: int
    learning_rate: float
    flip: bool
    classifier_epochs: int
    pool: bool = True

    def classifier(self, domains: Domains) -> ImageClassifier:
        """Returns a classifier of the domains, trained on real images."""
        return ImageClassifier(*domains.train, flip=self.flip, epochs=self.classifier_epochs, pool=self.pool)


def tones(args: argparse.Namespace, size: int, validation: bool = False) -> Domains:
    """Returns emoji in five skin tones; held-out emoji are in no tone of the training set."""
    images, _ = skin_tones.read(args.zip, size)
    train, held_out = skin_tones.split(len(images))
    if validation:
        train, held_out = (train[part] for part in skin_tones.split(len(train), seed=1))
    labels = np.tile(np.arange(images.shape[1], dtype=np.int32), len(train))
    return Domains(skin_tones.TONES, (images[train].reshape(-1, size, size, 3), labels), images[held_out])


def colors(args: argparse.Namespace, size: int, validation: bool = False, held_out: int = 200) -> Domains:
    """Returns the eight colors of `shapes`, and the factors that translation should preserve."""
    options: dict[str, Any] = {
        "image_shape": (size, size, 3),
        "batch_size": 1000,
        "shuffle": False,
        "data_dir": args.data_dir,
    }
    batches = list(data.load("shapes", "train", fields=("image", *FACTORS), **options).as_numpy_iterator())
    split = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    factors = Factors.draw(held_out, seed=20261201 if validation else 20261123)
    every = [render_shapes(factors.change(color=name), size) / np.float32(255) for name in FACTORS["color"]]
    # without the texture: the classifier does not learn it, not even in five epochs
    staying = {name: (split[name], getattr(factors, name)) for name in ("shape", "size", "position", "background")}
    return Domains(FACTORS["color"], (split["image"], split["color"]), np.stack(every, 1), staying)


def expressions(args: argparse.Namespace, size: int, validation: bool = False, held_out: int = 200) -> Domains:
    """Returns 6,000 drawn faces with three expressions, of which 47 % smile: a few pixels of the mouth differ."""
    labels = np.random.default_rng(0).choice(3, 6000, p=(0.2, 0.33, 0.47)).astype(np.int32)
    train = draw_expressions(labels, seed=1) / np.float32(255)
    every = [draw_expressions(np.full(held_out, label), seed=2 if validation else 3) for label in range(3)]
    return Domains(tuple(EXPRESSIONS), (train, labels), np.stack(every, 1) / np.float32(255))


SMALL = {
    "base_filters": 24,
    "blocks": 2,
    "discriminator_filters": 32,
    "residual": True,
    "conditioning": "normalization",
}
CONFIGURATIONS = {
    "skin_tones": Configuration(
        tones,
        # one critic update per generator update: on two cores, the number of generator updates limits the quality
        {**SMALL, "n_critic": 1},
        size=48,
        batch_size=16,
        learning_rate=1e-3,
        flip=True,
        classifier_epochs=20,
    ),
    "colors": Configuration(
        colors,
        {**SMALL, "n_critic": 1},
        size=32,
        batch_size=16,
        learning_rate=1e-3,
        flip=False,
        classifier_epochs=2,
    ),
    "expressions": Configuration(
        expressions,
        {"base_filters": 16, "blocks": 2, "discriminator_filters": 32, "n_critic": 1},
        size=32,
        batch_size=16,
        learning_rate=1e-3,
        flip=True,
        classifier_epochs=8,
        pool=False,
    ),
}


class Progress(keras.callbacks.Callback):
    """Prints the metrics of every fifth epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if logs and epoch % 5 == 0:
            print(int(self.model.train_steps), {k: round(float(v), 3) for k, v in logs.items()}, flush=True)


def batches(domains: Domains, it: Configuration, seed: int) -> tuple[tf.data.Dataset, int]:
    """Returns endless shuffled batches, mirrored at random if `it.flip`, and the number of steps in an epoch."""

    def prepare(image, label, number):
        key = tf.stack([tf.cast(number, tf.int32), seed])
        image = tf.image.stateless_random_flip_left_right(image, key) if it.flip else image
        return {"image": image, "label": label}

    images, labels = domains.train
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed).repeat()
    steps = max(1, len(images) // it.batch_size)
    dataset = dataset.zip(dataset, tf.data.Dataset.counter()).map(lambda pair, number: prepare(*pair, number))
    return dataset.batch(it.batch_size, drop_remainder=True).prefetch(2), steps


def train(name: str, args: argparse.Namespace, domains: Domains) -> None:
    """Trains a configuration, and saves the weights and a summary of the training."""
    it = CONFIGURATIONS[name]
    settings: dict[str, Any] = {**it.settings, "groups": [len(domains.names)], "attribute_names": list(domains.names)}
    model = zoo.build("stargan", (it.size, it.size, 3), seed=args.seed, learning_rate=it.learning_rate, **settings)
    dataset, steps = batches(domains, it, args.seed)
    budget = Budget(steps=args.updates) if args.updates else Budget(args.seconds)
    wall, work = time.perf_counter(), time.process_time()
    history = model.fit(dataset, epochs=args.epochs, steps_per_epoch=steps, verbose=0,
                        callbacks=[budget, Progress()]).history  # fmt: skip
    wall, work = time.perf_counter() - wall, time.process_time() - work
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(_saved(name, args.seed, "keras"))
    about = {
        "last": {metric: float(values[-1]) for metric, values in history.items()},
        "steps": int(model.train_steps),
        "train_minutes": round(wall / 60, 1),
        "processor_minutes": round(work / 60, 1),
        "parameters": {part: getattr(model, part).count_params() for part in ("generator", "discriminator")},
    }
    _saved(name, args.seed, "json").write_text(json.dumps(about))


def translations(model: StarGAN, images: np.ndarray) -> np.ndarray:
    """Translates images [num, domains, ...] into every domain: [num, source, target, height, width, 3]."""
    num, count = images.shape[:2]
    flat = np.repeat(images.reshape(num * count, *images.shape[2:]), count, axis=0)
    targets = np.tile(np.eye(count, dtype=np.float32), (num * count, 1))
    return model.translate(flat, targets).reshape(num, count, count, *images.shape[2:])


def measure(model: StarGAN, domains: Domains, it: Configuration) -> dict:
    """Returns classification errors of real and translated held-out images, and errors against true counterfactuals."""
    images = domains.counterfactuals
    num, count = images.shape[:2]
    outputs = translations(model, images)
    inputs = np.broadcast_to(images[:, :, None], outputs.shape)
    truth = np.broadcast_to(images[:, None], outputs.shape)
    other = ~np.eye(count, dtype=bool)[None].repeat(num, 0)  # without the image's own domain
    equal = np.abs(images - images[:, :1]).max(axis=(1, 4)) == 0  # [num, height, width]
    shared = np.broadcast_to(equal[:, None, None], outputs.shape[:5])
    label = np.broadcast_to(np.arange(count), (num, count, count))[other]
    flat, own = images.reshape(-1, *images.shape[2:]), np.tile(np.arange(count), num)
    classifier = it.classifier(domains)
    errors = counterfactual_errors(inputs[other], outputs[other], truth[other][None])
    measures = {
        "classification_error_real": classifier.error(flat, own),
        "classification_error_translated": classifier.error(outputs[other], label),
        "classification_error_identity": classifier.error(inputs[other], label),
        "counterfactual_error": float(errors.translation.mean()),
        "counterfactual_error_identity": float(errors.identity.mean()),
        "counterfactual_ratio": errors.ratio,
        "change_of_shared_pixels": float(unchanged_error(outputs[other], inputs[other], shared[other])),
        "shared_pixels": float(equal.mean()),
        "held_out": num,
        "translations": int(other.sum()),
    }
    for factor, (classes, held_out) in domains.factors.items():
        classifier = ImageClassifier(domains.train[0], classes, flip=False, epochs=it.classifier_epochs)
        stays = np.broadcast_to(held_out[:, None, None], other.shape)[other]
        measures[f"{factor}_error_real"] = classifier.error(flat, np.repeat(held_out, count))
        measures[f"{factor}_error_translated"] = classifier.error(outputs[other], stays)
    return measures


def unchanged_error(translated: np.ndarray, images: np.ndarray, unchanged: np.ndarray) -> float:
    """Returns the mean absolute change of pixels that are equal in all domains.

    Args:
        translated: [num, height, width, channels] in [0, 1].
        images: The input images, the same shape.
        unchanged: Bool [num, height, width], the pixels that all domains share; at least one.

    Returns:
        In [0, 1], over all such pixels of all images; times 255 it is in 8-bit steps.

    Raises:
        ValueError: For arrays of other shapes, or no such pixel.
    """
    first, second = np.asarray(translated, np.float64), np.asarray(images, np.float64)
    if first.shape != second.shape or first.ndim != 4:
        raise ValueError(
            f"Expected images [num, height, width, channels] of one shape; received {first.shape} and {second.shape}"
        )
    unchanged = np.asarray(unchanged, bool)
    if unchanged.shape != first.shape[:3] or not unchanged.any():
        raise ValueError(
            f"Expected unchanged {list(first.shape[:3])} with at least one pixel; received {list(unchanged.shape)} "
            f"with {int(unchanged.sum())}"
        )
    return float(np.abs(first - second)[unchanged].mean())


def picture(model: StarGAN, domains: Domains, rows: int = 12) -> np.ndarray:
    """Returns a grid of held-out images: the input, its translations into all domains, and the true counterfactuals."""
    images = domains.counterfactuals[:: max(1, len(domains.counterfactuals) // rows)][:rows]
    count = images.shape[1]
    lines = []
    for index, emoji in enumerate(images):
        start = emoji[index % count]
        into = model.translate(np.repeat(start[None], count, 0), np.eye(count, dtype=np.float32))
        lines += [start, *into, np.ones_like(start), *emoji]
    return pictures.grid(np.stack(lines), columns=2 * count + 2)


def _saved(name: str, seed: int, ending: str) -> pathlib.Path:
    return WEIGHTS / f"stargan_{name}_{seed}.{ending}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--zip", help="twemoji.zip, for skin_tones")
    parser.add_argument("--data-dir", help="of TFDS, for colors")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1500, help="processor time")
    parser.add_argument("--updates", type=int, help="instead of --seconds")
    parser.add_argument("--epochs", type=int, default=10_000)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", action="store_true", help="only measure the saved model")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    it = CONFIGURATIONS[args.name]
    domains = it.domains(args, it.size)
    if not args.measure:
        train(args.name, args, domains)
    model = keras.saving.load_model(_saved(args.name, args.seed, "keras"))
    name = f"stargan_{args.name}"
    pictures.save(record.RESULTS / "pictures" / f"{name}.png", picture(model, domains))
    about = json.loads(_saved(args.name, args.seed, "json").read_text())
    result = {"measures": measure(model, domains, it), "seconds": None if args.updates else args.seconds, **about}
    settings = {**it.settings, "size": it.size, "batch_size": it.batch_size, "learning_rate": it.learning_rate}
    print(json.dumps(result["measures"], indent=2))
    print("written to", record.write_run(name, args.seed, result, {"settings": settings}))


if __name__ == "__main__":
    main()
