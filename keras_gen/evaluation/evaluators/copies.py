"""Whether samples are copies of training images, as metrics."""

from collections.abc import Iterable

import numpy as np

from ..metrics.memorization import NearestNeighbours, nearest_neighbors
from ..metrics.names import score_name

DISTANCE, CHANCE = "pixel value, 0 to 1", "share, 0 to 1; 0.5 for new images, 1 for copies"


def copy_scores(
    made: np.ndarray, train: np.ndarray | Iterable[np.ndarray], held_out: np.ndarray | None, *, split: str = "test"
) -> tuple[dict, dict]:
    """How near samples come to training images, and how near real images come that were not trained on.

    `nearest_pixels_1000_train` is the mean distance (root mean square) of 1,000 samples to their nearest training
    images, `..._floor` that of as many real ones, and `closer_pixels_1000_train` the chance that a sample is closer
    than a real one. Copies have a distance far below the floor. Blurred samples come closer than real images without
    being copies: look at the picture of neighbors.

    Args:
        made: generated images [num, height, width, channels].
        train: all training images, or blocks of them.
        held_out: real images of the split, not trained on; None where there are none.
        split: which split `held_out` is of.

    Returns:
        (metrics, about).
    """
    num = len(made) if held_out is None else min(len(made), len(held_out))
    found = nearest_neighbors(made[:num], train, None if held_out is None else held_out[:num])
    return neighbour_scores(found, split=split)


def copy_names(num: int) -> tuple[str, str, str]:
    """Names of the mean distance, its floor and the chance, for a number of samples."""
    name, chance = (score_name(metric, "pixels", num, "train") for metric in ("nearest", "closer"))
    return name, f"{name}_floor", chance


def neighbour_scores(found: NearestNeighbours, *, split: str) -> tuple[dict, dict]:
    """`copy_scores` of neighbors that were found before."""
    names, sizes = copy_names(len(found.distances)), {"images": found.train, "samples": len(found.distances)}
    name, floor, chance = names
    about = {
        name: {"unit": DISTANCE, **sizes, "note": f"a sample to the nearest of all {found.train:,} training images"},
        floor: {"unit": DISTANCE, **sizes, "note": f"a {split} image to the nearest of the same"},
        chance: {"unit": CHANCE, **sizes, "note": f"that a sample is closer to them than a {split} image is"},
    }
    if found.held_out is None:
        for missing in (floor, chance):
            about[missing]["reason"] = f"the images of the {split} split are not held out from training"
        return {name: float(found.distances.mean()), floor: None, chance: None}, about
    about[chance]["standard_error"] = found.closer_error
    values = (float(found.distances.mean()), float(found.held_out.mean()), found.closer)
    return dict(zip(names, values, strict=True)), about
