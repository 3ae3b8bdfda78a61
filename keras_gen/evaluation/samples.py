"""How far generated images lie from real ones, in pixels."""

import numpy as np

from keras_gen import pictures

from .sample_distance import nearest_distance, sliced_wasserstein
from .subject import Subject

PIXELS = "pixel value, 0 to 1"


def samples(subject: Subject) -> tuple[dict, dict]:
    """Distances of generated images to real ones, each beside what real images of another split have.

    The names say what a value depends on: `swd_pixels_1000_test` is the sliced Wasserstein distance in pixels of 1,000
    samples to 1,000 images of the test split, and `..._floor` that of 1,000 training images to the same 1,000.
    `nearest_pixels_1000_train` is the mean distance of a sample to its nearest training image, and `..._floor` that of
    a real image of the evaluated split. A sample distance at the floor cannot be told from real images by this
    measure; a nearest distance far below its floor means copies of training images. Compared with images before
    binarization, since samples are the decoder's means.
    """
    return sample_metrics(subject.generated, *real_images(subject), split=subject.split, seed=subject.seed)


def sample_metrics(
    made: np.ndarray, real: np.ndarray, train: np.ndarray, *, split: str, seed: int
) -> tuple[dict, dict]:
    """The metrics of `samples`, of as many generated, real and training images as there are of the fewest.

    Args:
        made, real, train: images [num, height, width, channels] in [0, 1]; a prefix of each must be a random choice.
        split: what `real` is called in the names.
        seed: of the projections.

    Returns:
        (metrics, about).
    """
    num = min(len(made), len(real), len(train))
    made = made[:num]
    swd, nearest = f"swd_pixels_{num}_{split}", f"nearest_pixels_{num}_train"
    metrics = {
        swd: sliced_wasserstein(made, real[:num], seed=seed),
        f"{swd}_floor": sliced_wasserstein(train[:num], real[:num], seed=seed),
        nearest: float(nearest_distance(made, train).mean()),
        f"{nearest}_floor": float(nearest_distance(real[:num], train).mean()),
    }
    common = {"unit": PIXELS, "samples": num}
    about = {
        swd: {**common, "images": num, "note": f"samples to {num} images of the {split} split"},
        f"{swd}_floor": {**common, "images": num, "note": f"{num} training images to the same {num} {split} images"},
        nearest: {**common, "images": len(train), "note": f"a sample to the nearest of {len(train)} training images"},
        f"{nearest}_floor": {
            **common,
            "images": len(train),
            "note": f"a {split} image to the nearest of {len(train)} training images",
        },
    }
    return metrics, about


def real_images(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Images of the evaluated split and of the training split, before binarization, in random order.

    A prefix of either is a random choice, not what comes first in the data's order.
    """
    real = subject.batch(subject.samples, binarize=None)["image"]
    train = subject.batch(subject.max_images, role="train", binarize=None)["image"]
    generator = np.random.Generator(np.random.Philox(key=subject.seed))
    return real[generator.permutation(len(real))], train[generator.permutation(len(train))]


def generated(subject: Subject) -> np.ndarray:
    """64 generated images, as a picture."""
    return pictures.grid(subject.generated[:64], columns=8, scale=subject.zoom)
