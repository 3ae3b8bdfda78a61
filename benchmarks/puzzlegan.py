"""Puzzle-GAN on held-out Twemoji and on large, centered, upright shapes: one configuration, metrics and picture.

usage: python -m benchmarks.puzzlegan NAME [--seconds 900] [--epochs N] [--seed 1] [--twemoji ZIP] [--measure]

Writes benchmarks/results/puzzlegan_NAME.json (a run for each seed), pictures/puzzlegan_NAME.png, and the weights to
runs/benchmarks/. The learning rate is constant for half of the training and then falls linearly to 0. Emoji
are held out by kind: no emoji of the test set is in the training set with another skin tone or hair.
"""

import argparse
import dataclasses
import io
import json
import math
import pathlib
import time
import zipfile
from collections.abc import Callable

import keras
import numpy as np
from PIL import Image

from benchmarks import record
from keras_gen import evaluation, pictures, zoo
from keras_gen.data.shapes.factors import Factors
from keras_gen.data.shapes.renderer import render_shapes
from keras_gen.data.shapes.splits import FIXED
from keras_gen.evaluation.evaluators.puzzle import grid_scores, patch_scores

from .budget import Budget

WEIGHTS = pathlib.Path("runs/benchmarks")
TWEMOJI = "../shared/data/twemoji/twemoji.zip"
HELD_OUT = 8  # every eighth kind of emoji


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        load: (size, zip file) -> images for training and for testing.
        size: Height and width.
        settings: Settings of `puzzlegan`.
        seconds: Processor time of training without tracing, or None.
        epochs: Epochs of training, or None. They make two configurations comparable on a shared machine.
        rate: Learning rate of the generator, from which the discriminator's follows.
        batch_size: Images in a step.
    """

    load: Callable
    size: int
    settings: dict
    seconds: int | None = None
    epochs: int | None = None
    rate: float = 1e-3
    batch_size: int = 32


# data


def twemoji(size: int, file: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns emoji on white, for training and held out: float32 [num, size, size, 3]."""
    images = []
    with zipfile.ZipFile(file) as archive:
        rows = [json.loads(line) for line in archive.read("captions.jsonl").decode().splitlines()]
        for row in rows:
            with Image.open(io.BytesIO(archive.read(row["file"]))) as picture:
                picture = picture.convert("RGBA")
            flat = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
            images.append(np.asarray(flat.resize((size, size), Image.Resampling.BOX)))
    # "waving hand: light skin tone" is a waving hand
    kinds = np.array([row["label"].split(":")[0] for row in rows])
    held_out = np.isin(kinds, np.random.default_rng(0).permutation(np.unique(kinds))[::HELD_OUT])
    images = np.stack(images).astype(np.float32) / 255
    return images[~held_out], images[held_out]


def mirrored_twemoji(size: int, file: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns `twemoji` with the mirror image of each training image."""
    images, held_out = twemoji(size, file)
    return np.concatenate([images, images[:, :, ::-1]]), held_out


def large_shapes(size: int, file: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns 4,000 + 500 images of large, centered, upright `shapes`: a corner determines its position."""
    return tuple(
        render_shapes(Factors.draw(count, seed).change(**FIXED["placed"]), size).astype(np.float32) / 255
        for seed, count in ((1, 4000), (2, 500))
    )  # fmt: skip


THREE = {"max_patches": 3, "min_patches": 3}
CONFIGURATIONS = {
    # patches of half of the image's side
    "twemoji": Configuration(twemoji, 32, {**THREE, "patch_size": 0.5}, 900),
    "shapes": Configuration(large_shapes, 32, THREE, 900),
    "grid": Configuration(mirrored_twemoji, 48, {"layout": "grid", "image_filters": 8}, 900),
    # the ablation: the same number of steps for both
    "with_mask": Configuration(large_shapes, 32, THREE, epochs=8),
    "without_mask": Configuration(large_shapes, 32, {**THREE, "use_mask": False}, epochs=8),
}


# training


def train(name: str, seed: int, images: np.ndarray, seconds: float | None, epochs: int | None) -> None:
    """Trains a configuration, and saves the weights and a summary of the training."""
    it = CONFIGURATIONS[name]
    if not (seconds or epochs):
        seconds, epochs = it.seconds, it.epochs
    model = zoo.build("puzzlegan", images.shape[1:], seed=seed, learning_rate=it.rate, **it.settings)
    wall, work = time.perf_counter(), time.process_time()
    budget = Budget(steps=epochs * math.ceil(len(images) / it.batch_size)) if epochs else Budget(seconds)
    model.fit(images, batch_size=it.batch_size, epochs=10_000, verbose=2, callbacks=[budget])
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(_saved(name, seed, "keras"))
    last = model.history.history
    about = {
        "last": {metric: float(values[-1]) for metric, values in last.items()},
        "steps": int(model.train_steps),
        "epochs": round(int(model.train_steps) * it.batch_size / len(images), 1),
        "train_minutes": round((time.perf_counter() - wall) / 60, 1),
        "processor_minutes": round((time.process_time() - work) / 60, 1),
        "parameters_trained": int(sum(np.prod(each.shape) for each in model.trainable_variables)),
    }
    _saved(name, seed, "json").write_text(json.dumps(about))


# metrics


def measure(name: str, seed: int, train_images: np.ndarray, test_images: np.ndarray) -> dict:
    """Returns metrics and training summary of a trained model, and writes its picture."""
    model = keras.saving.load_model(_saved(name, seed, "keras"))
    if name == "grid":
        restored, measures, _ = grid_scores(model, test_images, seed=seed)
    else:
        subset = {"image": train_images[:2000]}  # for the average mask
        restored, measures, _ = patch_scores(model, {"image": test_images}, subset, seed=seed)
    measures |= whole_distances(restored, test_images, train_images, seed)
    examples = test_images[np.random.default_rng(1).permutation(len(test_images))[:16]]
    (columns,) = model.preview_images({"image": examples}).values()  # for a grid with missing tiles
    panels = {title: pictures.grid(images, columns=2, scale=2) for title, images in columns.items()}
    pictures.save(record.RESULTS / "pictures" / f"puzzlegan_{name}.png", pictures.hstack(panels))
    about = json.loads(_saved(name, seed, "json").read_text())
    return {"measures": measures, "test_images": len(test_images), "train_images": len(train_images), **about}


def whole_distances(restored, test_images, train_images, seed) -> dict:
    """Returns the Frechet distance of restored to held-out images, and the floor, the distance of training images.

    The features are means of 8x8 blocks: for a covariance of all pixels there are too few images.
    """
    chosen = np.random.default_rng(seed).permutation(len(train_images))[: len(test_images)]
    reference = blocks(test_images)
    return {
        "fd_8x8": float(evaluation.frechet_distance(blocks(restored), reference)),
        "fd_8x8_floor": float(evaluation.frechet_distance(blocks(train_images[chosen]), reference)),
    }


def blocks(images: np.ndarray, grid_size: int = 8) -> np.ndarray:
    """Returns means of a grid of blocks: [num, height, width, channels] -> [num, grid_size^2 * channels]."""
    num, height, width, channels = images.shape
    parts = images.reshape(num, grid_size, height // grid_size, grid_size, width // grid_size, channels)
    return parts.mean((2, 4)).reshape(num, -1).astype(np.float64)


def _saved(name: str, seed: int, ending: str) -> pathlib.Path:
    return WEIGHTS / f"puzzlegan_{name}_{seed}.{ending}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="of training; default the configuration's")
    parser.add_argument("--epochs", type=int, help="instead of --seconds")
    parser.add_argument("--twemoji", default=TWEMOJI, help="the zip with captions.jsonl and the pictures")
    parser.add_argument("--measure", action="store_true", help="only measure the saved model")
    args = parser.parse_args()
    it = CONFIGURATIONS[args.name]
    train_images, test_images = it.load(it.size, args.twemoji)
    if not args.measure:
        train(args.name, args.seed, train_images, args.seconds, args.epochs)
    result = measure(args.name, args.seed, train_images, test_images)
    name = f"puzzlegan_{args.name}"
    settings = {"rate": it.rate, "batch_size": it.batch_size, "size": it.size, **it.settings}
    content = {"settings": settings}
    print(json.dumps(result["measures"], indent=2))
    print("written to", record.write_run(name, args.seed, result, content))


if __name__ == "__main__":
    main()
