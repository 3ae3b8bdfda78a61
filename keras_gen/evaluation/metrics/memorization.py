"""Whether generated images are copies of training images: each one's nearest, and how near real images come."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .sliced_wasserstein import nearest_reference


class NearestNeighbours(NamedTuple):
    """Generated images with their nearest training images.

    indices: of the nearest training image of each generated image, int64 [num].
    distances: to it, root mean square over pixels, float64 [num].
    nearest: the nearest training images themselves, [num, ...].
    train: how many training images there are.
    held_out: distances of held-out real images to their nearest training images, float64 [others]; None without any.
    closer: chance that a generated image is closer to the training set than a held-out one (ties count half): 0.5 for
        new images, towards 1 for copies; None without held-out images.
    closer_error: standard error of `closer` under 0.5, where no two distances are equal.
    ratio: median of `distances` / median of `held_out`: 1 for new images, 0 for copies.
    """

    indices: np.ndarray
    distances: np.ndarray
    nearest: np.ndarray
    train: int
    held_out: np.ndarray | None
    closer: float | None
    closer_error: float | None
    ratio: float | None


def nearest_neighbors(
    generated: np.ndarray, train: np.ndarray | Iterable[np.ndarray], held_out: np.ndarray | None = None
) -> NearestNeighbours:
    """Find the nearest training image of every generated image, and compare with real images that were not trained on.

    A distance in pixels favors smooth images: blurred samples come closer to the training set than real images do
    without being copies of anything. Look at the pairs before calling it memorization. All training images belong
    into `train`: a copy of one that is left out is not found.

    Args:
        generated: [num, ...] images, or features.
        train: [count, ...], what the model was trained on; or blocks of it [some, ...] one after the other, of which
            only one is held at a time.
        held_out: [others, ...] real images that are not in `train`; None to find the neighbors alone.

    Returns:
        A NearestNeighbours.

    Raises:
        ValueError: for an empty set or images of different shape.

    Reference:
        Meehan, Chaudhuri, Dasgupta 2020, A non-parametric test to detect data-copying in generative models,
        arXiv:2004.05675, section 3 (`closer` is 1 minus its normalized U statistic, without its cells).
    """
    blocks = [train] if isinstance(train, np.ndarray) else train
    ours, theirs, count = _Nearest(generated), None if held_out is None else _Nearest(held_out), 0
    for block in blocks:
        if len(block):
            ours.look(block, count)
            if theirs is not None:
                theirs.look(block, count)
        count += len(block)
    sizes = [len(generated), count, *([] if held_out is None else [len(held_out)])]
    if min(sizes) == 0:
        raise ValueError(f"Expected images in every set; received {', '.join(map(str, sizes))}")
    found = (ours.indices, ours.distances, ours.images, count)
    if theirs is None:
        return NearestNeighbours(*found, None, None, None, None)
    distances, others = ours.distances, theirs.distances
    ordered = np.sort(others)
    farther = len(ordered) - np.searchsorted(ordered, distances, side="right")
    equal = np.searchsorted(ordered, distances, side="right") - np.searchsorted(ordered, distances, side="left")
    closer = np.mean(farther + 0.5 * equal) / len(ordered)
    # of the Mann-Whitney statistic
    error = np.sqrt((len(distances) + len(others) + 1) / (12.0 * len(distances) * len(others)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.median(distances) / np.median(others)
    return NearestNeighbours(*found, others, float(closer), float(error), float(ratio))


class _Nearest:
    """The nearest of all blocks so far, for each of some images."""

    def __init__(self, queries: np.ndarray):
        self.queries = queries
        self.indices = np.zeros(len(queries), np.int64)
        self.distances = np.full(len(queries), np.inf)
        self.images = np.zeros_like(queries)

    def look(self, block: np.ndarray, first: int) -> None:
        """Compare with a block, the index of whose first image is given."""
        if len(self.queries):
            indices, distances = nearest_reference(self.queries, block)
            nearer = distances < self.distances
            self.indices[nearer] = first + indices[nearer]
            self.distances[nearer] = distances[nearer]
            self.images[nearer] = block[indices[nearer]]
