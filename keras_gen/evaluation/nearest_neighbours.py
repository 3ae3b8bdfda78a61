"""Whether generated images are copies of training images: each one's nearest, and how near real images come."""

from typing import NamedTuple

import numpy as np

from .sample_distance import nearest_distance, nearest_reference


class NearestNeighbours(NamedTuple):
    """Generated images beside their nearest training images.

    indices: of the nearest training image of each generated image, int64 [num].
    distances: to it, root mean square over pixels, float64 [num].
    held_out: distances of held-out real images to their nearest training images, float64 [others].
    closer: chance that a generated image is closer to the training set than a held-out one (ties count half): 0.5 for
        new images, towards 1 for copies.
    closer_error: standard error of `closer` under 0.5, where no two distances are equal.
    ratio: median of `distances` / median of `held_out`: 1 for new images, 0 for copies.
    """

    indices: np.ndarray
    distances: np.ndarray
    held_out: np.ndarray
    closer: float
    closer_error: float
    ratio: float


def nearest_neighbours(generated: np.ndarray, train: np.ndarray, held_out: np.ndarray) -> NearestNeighbours:
    """Find the nearest training image of every generated image, and compare with real images that were not trained on.

    A distance in pixels favours smooth images: blurred samples come closer to the training set than real images do
    without being copies of anything. Look at the pairs before calling it memorisation.

    Args:
        generated: [num, ...] images, or features.
        train: [count, ...], what the model was trained on.
        held_out: [others, ...] real images that are not in `train`.

    Returns:
        A NearestNeighbours.

    Raises:
        ValueError: for an empty set or images of different shape.

    Reference:
        Meehan, Chaudhuri, Dasgupta 2020, A non-parametric test to detect data-copying in generative models,
        arXiv:2004.05675, section 3 (`closer` is 1 minus its normalized U statistic, without its cells).
    """
    if min(len(generated), len(train), len(held_out)) == 0:
        raise ValueError(
            f"Expected images in all three sets; received {len(generated)}, {len(train)} and {len(held_out)}"
        )
    indices, distances = nearest_reference(generated, train)
    others = nearest_distance(held_out, train)
    ordered = np.sort(others)
    farther = len(ordered) - np.searchsorted(ordered, distances, side="right")
    equal = np.searchsorted(ordered, distances, side="right") - np.searchsorted(ordered, distances, side="left")
    closer = np.mean(farther + 0.5 * equal) / len(ordered)
    # of the Mann-Whitney statistic
    error = np.sqrt((len(distances) + len(others) + 1) / (12.0 * len(distances) * len(others)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.median(distances) / np.median(others)
    return NearestNeighbours(indices, distances, others, float(closer), float(error), float(ratio))
