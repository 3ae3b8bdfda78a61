"""The default scores rank sets of images as people do: real > good > blurred > noise.

    python -m benchmarks.default_distance --emoji twemoji.zip --data-dir DIR [--usps usps.npz]

The features are those of `keras_gen evaluate` without options, `small_v1`, and pixels for comparison. The images are
held out from the training of `small_v1`: test digits of MNIST, objects of `shapes` with other seeds, the emoji of the
held-out captions, and USPS, of which the network has seen nothing (`python -m benchmarks.usps` writes the file).

The sets, each as large as the real images that it is compared with, ranked in this order for every seed:

- real: other real images
- good: real images after JPEG-like rounding, a Gaussian blur of 0.3 pixels and noise of 0.02
- blurred: a Gaussian blur of a twentieth of the height
- noise: uniform

and two more, which are not to score like real images: blobs (samples of a normal distribution in the eight principal
components of real images) and copies (training images), which the memorization score `closer` is to detect.

A second table shows the Frechet distance of increasing damage with fewer images. Writes
benchmarks/results/default_distance.json.
"""

import json
import pathlib
from typing import Annotated

import numpy as np
import scipy.ndimage
import typer

from benchmarks import feature_network, record
from keras_gen import data, evaluation
from keras_gen.data import Factors, render_shapes
from keras_gen.evaluation.features.extractors import Features
from keras_gen.evaluation.seeding import seeded_generator

SEEDS, MAX_IMAGES, MAX_TRAIN, BLOB_IMAGES = range(3), 500, 2000, 600
COUNTS = (100, 20)
KINDS = ("small_v1", "pixels")
RANKED = ("real", "good", "blurred", "noise")
COMPONENTS = 8
# fractions that differ by less are equal: two standard errors of a fraction of 500 images
TIE = 0.04
LEVELS = 32

# held-out images, and training images among which nearest neighbors are searched
Sets = tuple[np.ndarray, np.ndarray]


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Returns images after a Gaussian blur with a standard deviation of `sigma` pixels."""
    return scipy.ndimage.gaussian_filter(images, (0, sigma, sigma, 0))


def good(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns images with damage that is hardly visible."""
    noise = generator.standard_normal(images.shape, np.float32)
    rounded = np.rint(blurred(images, 0.3) * (LEVELS - 1)) / (LEVELS - 1)
    return np.clip(rounded + 0.02 * noise, 0, 1).astype(np.float32)


def blobs(images: np.ndarray, num: int, generator: np.random.Generator) -> np.ndarray:
    """Returns samples of a normal distribution in the first principal components of the images."""
    flat = images.reshape(len(images), -1)
    mean = flat.mean(axis=0)
    _, scales, components = np.linalg.svd(flat - mean, full_matrices=False)
    codes = generator.standard_normal((num, COMPONENTS)) * scales[:COMPONENTS] / np.sqrt(len(flat))
    return np.clip(mean + codes @ components[:COMPONENTS], 0, 1).reshape(num, *images.shape[1:]).astype(np.float32)


def damaged(images: np.ndarray, generator: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Returns {kind of damage: images with three degrees of it, the slightest first}."""
    noise = generator.standard_normal(images.shape, np.float32)
    order = np.argsort(images.mean((1, 2, 3)))
    return {
        "blur, 0.7, 1 and 2 pixels": [blurred(images, sigma) for sigma in (0.7, 1.0, 2.0)],
        "noise, 0.05, 0.1 and 0.3": [np.clip(images + scale * noise, 0, 1) for scale in (0.05, 0.1, 0.3)],
        # the darkest images alone, each repeated
        "variety, 1/2, 1/5 and 1/20": [np.resize(images[order[: len(images) // n]], images.shape) for n in (2, 5, 20)],
    }


def rank(sets: Sets, train_features: np.ndarray, features: Features, seed: int) -> dict:
    """Returns the scores of each set of images, and whether they rank `RANKED`.

    The Frechet distance is that of few features alone: a covariance of all pixels needs more images.
    """
    held_out, train = sets
    generator = seeded_generator(seed)
    shuffled = held_out[generator.permutation(len(held_out))]
    num = min(MAX_IMAGES, len(held_out) // 2)
    reference, others = shuffled[:num], shuffled[num : 2 * num]
    candidates = {
        "real": others,
        "good": good(others, generator),
        "blurred": blurred(others, others.shape[1] / 20),
        "noise": generator.random(others.shape, np.float32),
        "blobs": blobs(train[:BLOB_IMAGES], num, generator),
        "copies": train[generator.permutation(len(train))[:num]],
    }
    real_features, rows = features(reference), {}
    for name, images in candidates.items():
        values = features(images)
        neighbors = evaluation.nearest_neighbors(values, train_features, real_features)
        rows[name] = evaluation.precision_recall(real_features, values)._asdict() | {"closer": neighbors.closer}
        if values.shape[1] < num:
            rows[name]["fd"] = evaluation.frechet_distance(values, real_features)
    signs = {"fd": -1, "precision": 1, "recall": 1, "density": 1, "coverage": 1, "closer": 1}
    ranked = {
        metric: _decreasing([sign * rows[name][metric] for name in RANKED], strict=metric == "fd")
        for metric, sign in signs.items()
        if metric in rows["real"]
    }
    return {"images": num, "training_images": len(train), "seed": seed, "scores": rows, "ranked": ranked}


def _decreasing(values: list[float], *, strict: bool) -> bool:
    """Returns whether values decrease; equal ones, within `TIE`, count unless `strict`."""
    pairs = list(zip(values, values[1:], strict=False))
    return all(first > second for first, second in pairs) if strict else all(a >= b - TIE for a, b in pairs)


def order(sets: Sets, features: Features, count: int, seed: int) -> dict:
    """Returns the Frechet distances of `count` images with increasing damage."""
    generator = seeded_generator(seed)
    images = sets[0][generator.permutation(len(sets[0]))[: 3 * count]]
    real, other, undamaged = np.split(images, 3)
    reference = features(real)

    def distance(candidates: np.ndarray) -> float:
        return evaluation.frechet_distance(features(candidates), reference, full_rank=False)

    floor, uniform = distance(other), distance(generator.random(undamaged.shape, np.float32))
    kinds = {kind: [distance(each) for each in degrees] for kind, degrees in damaged(undamaged, generator).items()}
    ordered = {
        kind: _decreasing([-floor, *(-v for v in values), -uniform], strict=True) for kind, values in kinds.items()
    }
    return {"images": count, "seed": seed, "floor": floor, "uniform noise": uniform, **kinds, "ordered": ordered}


def images_of(emoji: pathlib.Path, data_dir: pathlib.Path | None, usps: pathlib.Path | None) -> dict[str, Sets]:
    """Returns the images of each dataset, float32 in [0, 1], digits with their own size."""

    def load(source: str | pathlib.Path, split: str, shape: tuple[int, int, int]) -> np.ndarray:
        loaded = data.load(source, split, image_shape=shape, batch_size=500, shuffle=False, data_dir=data_dir)
        batches = loaded.take(-(-MAX_TRAIN // 500)).as_numpy_iterator()
        return np.concatenate([batch["image"] for batch in batches])

    drawn = (render_shapes(Factors.draw(MAX_TRAIN, seed), 32).astype(np.float32) / 255 for seed in (2001, 2002))
    symbols = feature_network.emoji(emoji)
    sets: dict[str, Sets] = {
        "MNIST": (load("mnist", "test", (28, 28, 1)), load("mnist", "train", (28, 28, 1))),
        "shapes": tuple(drawn),
        "emoji": (symbols["test"][0], symbols["train"][0][:MAX_TRAIN]),
    }
    if usps:
        sets["USPS"] = load(usps, "test", (16, 16, 1)), load(usps, "train", (16, 16, 1))
    return sets


def means(rows: list[dict], source: str, kind: str) -> dict[str, dict[str, float]]:
    """Returns the mean scores over seeds."""
    chosen = [row["scores"] for row in rows if (row["data"], row["features"]) == (source, kind)]
    return {
        name: {metric: round(float(np.mean([row[name][metric] for row in chosen])), 4) for metric in chosen[0][name]}
        for name in chosen[0]
    }


def main(
    emoji: Annotated[pathlib.Path, typer.Option()],
    data_dir: Annotated[pathlib.Path | None, typer.Option()] = None,
    usps: Annotated[pathlib.Path | None, typer.Option()] = None,
    out: str = "default_distance",
) -> None:
    """Measures all datasets."""
    sets = images_of(emoji, data_dir, usps)
    extractors = {kind: evaluation.feature_extractor(kind) for kind in KINDS}
    rows = []
    for name, images in sets.items():
        for kind, features in extractors.items():
            train_features = features(images[1])
            rows += [{"data": name, "features": kind, **rank(images, train_features, features, seed)} for seed in SEEDS]
            print(json.dumps({name: means(rows, name, kind)}), flush=True)
    orders = [
        {"data": name, **order(images, extractors["small_v1"], count, seed)}
        for name, images in sets.items()
        for count in (MAX_IMAGES, *COUNTS)
        if 3 * count <= len(images[0])
        for seed in SEEDS
    ]
    ranked = {
        kind: {
            metric: f"{sum(row['ranked'][metric] for row in chosen)} of {len(chosen)}" for metric in chosen[0]["ranked"]
        }
        for kind in KINDS
        for chosen in [[row for row in rows if row["features"] == kind]]
    }
    default = [row for row in rows if row["features"] == "small_v1"]
    blob_precision = max(row["scores"]["blobs"]["precision"] / row["scores"]["real"]["precision"] for row in default)
    closer = {name: [row["scores"][name]["closer"] for row in default] for name in ("real", "blobs", "copies")}
    targets = {
        "real > good > blurred > noise by the Frechet distance": all(row["ranked"]["fd"] for row in default),
        "real >= good >= blurred >= noise by precision, recall and coverage, within 0.04": all(
            row["ranked"][metric] for row in default for metric in ("precision", "recall", "coverage")
        ),
        "blobs have at most half the precision of real images": blob_precision <= 0.5,
        "closer is at most 0.6 for blobs and at least 0.95 for copies": max(closer["blobs"]) <= 0.6
        and min(closer["copies"]) >= 0.95,
    }
    ordered = {
        f"{count} images": f"{sum(flags)} of {len(flags)}"
        for count in (MAX_IMAGES, *COUNTS)
        for flags in [[flag for row in orders if row["images"] == count for flag in row["ordered"].values()]]
    }
    content = {
        "means": {name: {kind: means(rows, name, kind) for kind in KINDS} for name in sets},
        "ranked": ranked,
        "ordered": ordered,
        "targets": targets,
        "rows": rows,
        "orders": orders,
    }
    print(json.dumps({key: content[key] for key in ("means", "ranked", "ordered", "targets")}, indent=2))
    print(f"wrote {record.write(out, content)}")


if __name__ == "__main__":
    typer.run(main)
