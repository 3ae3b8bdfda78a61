"""The default distance ranks images as expected: real, slightly, moderately and strongly damaged, noise.

    python -m benchmarks.default_distance --data-dir DIR

On MNIST and `shapes` (32x32 pixels), with 1,000, 100 and 20 images, five seeds: `random_conv_distance` of other real
images (the floor), of real images with three degrees of three kinds of damage, and of noise. Writes
benchmarks/results/default_distance.json.
"""

import json
import pathlib
from typing import Annotated

import numpy as np
import scipy.ndimage
import typer

from benchmarks import record
from keras_gen import data
from keras_gen.evaluation.features.random_conv import random_conv_distance
from keras_gen.evaluation.seeding import seeded_generator, seeded_permutation

SETS = {"mnist": (28, 28, 1), "shapes": (32, 32, 3)}
COUNTS, SEEDS, POOL = (1000, 100, 20), range(5), 6000


def damaged(images: np.ndarray, generator: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Returns {kind of damage: images with three degrees of it, the slightest first}."""
    noise = generator.standard_normal(images.shape, np.float32)
    order = np.argsort(images.mean((1, 2, 3)))
    return {
        "blur, 0.7, 1 and 2 pixels": [scipy.ndimage.gaussian_filter(images, (0, s, s, 0)) for s in (0.7, 1.0, 2.0)],
        "noise, 0.05, 0.1 and 0.3": [np.clip(images + s * noise, 0, 1) for s in (0.05, 0.1, 0.3)],
        # only the darkest images, repeated
        "variety, 1/2, 1/5 and 1/20": [np.resize(images[order[: len(images) // n]], images.shape) for n in (2, 5, 20)],
    }


def measure(real: np.ndarray, pool: np.ndarray, count: int, seed: int) -> dict:
    """Returns the distances of one sample of `count` images."""
    generator = seeded_generator(seed)
    reference = real[generator.permutation(len(real))[:count]]
    other, undamaged = np.split(pool[generator.permutation(len(pool))[: 2 * count]], 2)
    distances = {
        kind: [random_conv_distance(each, reference) for each in sets]
        for kind, sets in damaged(undamaged, generator).items()
    }
    floor = random_conv_distance(other, reference)
    uniform = random_conv_distance(generator.random(undamaged.shape, np.float32), reference)
    ordered = {
        kind: [floor, *values, uniform] == sorted([floor, *values, uniform]) for kind, values in distances.items()
    }
    return {"images": count, "seed": seed, "floor": floor, "uniform noise": uniform, **distances, "ordered": ordered}


def images_of(name: str, data_dir: pathlib.Path | None) -> np.ndarray:
    """Returns the first `POOL` training images, float32 in [0, 1]."""
    loaded = data.load(name, "train", image_shape=SETS[name], batch_size=500, shuffle=False, data_dir=data_dir)
    batches = loaded.take(POOL // 500).as_numpy_iterator()
    return np.concatenate([batch["image"] for batch in batches])


def main(data_dir: Annotated[pathlib.Path | None, typer.Option()] = None, out: str = "default_distance") -> None:
    """Measures both datasets."""
    rows = []
    for name in SETS:
        images = images_of(name, data_dir)
        images = images[seeded_permutation(len(images), 0)]
        real, pool = np.split(images, [POOL // 3])
        rows += [{"data": name, **measure(real, pool, count, seed)} for count in COUNTS for seed in SEEDS]
    counted = {
        f"{count} images": [order for row in rows if row["images"] == count for order in row["ordered"].values()]
        for count in COUNTS
    }
    ordered = {count: f"{sum(orders)} of {len(orders)}" for count, orders in counted.items()}
    targets = {"real < slight < more < strong < noise, 1000 images": all(counted["1000 images"])}
    content = {"rows": rows, "ordered": ordered, "targets": targets}
    print(json.dumps({**ordered, **targets}, indent=2))
    print(f"wrote {record.write(out, content)}")


if __name__ == "__main__":
    typer.run(main)
