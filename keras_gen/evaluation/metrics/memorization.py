"""Memorization: whether generated images are copies of training images, by nearest neighbors."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from .sliced_wasserstein import nearest_reference


class NearestNeighbors(NamedTuple):
    """Generated images with their nearest training images.

    Attributes:
        indices: index of the nearest training image of each generated image, int64 [num].
        distances: distance to it, root mean square over pixels or features, float64 [num].
        nearest: the nearest training images, [num, ...].
        train: number of training images.
        held_out: distances of held-out real images to their nearest training images, float64 [others]; None without
            held-out images, as the values that follow.
        closer: probability that a generated image is closer to the training set than a held-out one (ties count half):
            0.5 for new images, towards 1 for copies.
        closer_error: standard error of `closer` under 0.5, if no two distances are equal.
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
    generated: np.ndarray,
    train: np.ndarray | Iterable[np.ndarray],
    held_out: np.ndarray | None = None,
    *,
    extract: Callable[[np.ndarray], np.ndarray] | None = None,
) -> NearestNeighbors:
    """Finds the nearest training image of every generated image, and of held-out real images for comparison.

    A distance in pixels favors smooth images: blurred samples are closer to the training set than real images without
    being copies. Features in which blur is a difference do not have this fault. Look at the pairs before concluding
    memorization. `train` must contain all training images: a copy of
    an omitted one is not detected.

    Args:
        generated: images, or features, [num, ...].
        train: all training images [count, ...], or consecutive blocks of them [rows, ...], of which one is in memory at
            a time.
        held_out: real images that are not in `train`, [others, ...]; None omits the comparison.
        extract: images [rows, ...] -> features [rows, size], in which the distances are; None is the pixels.

    Returns:
        a NearestNeighbors.

    Raises:
        ValueError: for an empty set or images of different shape.

    Reference:
        Meehan, Chaudhuri, Dasgupta 2020, A non-parametric test to detect data-copying in generative models,
        arXiv:2004.05675, section 3 (`closer` is 1 minus its normalized U statistic, without its cells).
    """
    blocks = [train] if isinstance(train, np.ndarray) else train
    extract = extract or (lambda images: images)
    search, count = _NearestSearch(generated, extract), 0
    held_out_search = None if held_out is None else _NearestSearch(held_out, extract)
    for block in blocks:
        if len(block):
            features = extract(block)
            search.add(block, features, count)
            if held_out_search is not None:
                held_out_search.add(block, features, count)
        count += len(block)
    sizes = [len(generated), count, *([] if held_out is None else [len(held_out)])]
    if min(sizes) == 0:
        raise ValueError(f"Expected images in every set; received {', '.join(map(str, sizes))}")
    distances = search.distances
    if held_out_search is None:
        return NearestNeighbors(search.indices, distances, search.images, count, None, None, None, None)
    others = held_out_search.distances
    ordered = np.sort(others)
    farther = len(ordered) - np.searchsorted(ordered, distances, side="right")
    equal = np.searchsorted(ordered, distances, side="right") - np.searchsorted(ordered, distances, side="left")
    closer = np.mean(farther + 0.5 * equal) / len(ordered)
    # of the Mann-Whitney statistic
    error = np.sqrt((len(distances) + len(others) + 1) / (12.0 * len(distances) * len(others)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.median(distances) / np.median(others)
    return NearestNeighbors(
        search.indices, distances, search.images, count, others, float(closer), float(error), float(ratio)
    )


class _NearestSearch:
    """A search for the nearest images of some queries in one block after the other."""

    def __init__(self, queries: np.ndarray, extract: Callable[[np.ndarray], np.ndarray]):
        self.queries = extract(queries) if len(queries) else queries
        self.indices = np.zeros(len(queries), np.int64)
        self.distances = np.full(len(queries), np.inf)
        self.images = np.zeros_like(queries)

    def add(self, block: np.ndarray, features: np.ndarray, first_index: int) -> None:
        """Compares the queries with a block of images, whose first one has the index `first_index`."""
        if len(self.queries):
            indices, distances = nearest_reference(self.queries, features)
            nearer = distances < self.distances
            self.indices[nearer] = first_index + indices[nearer]
            self.distances[nearer] = distances[nearer]
            self.images[nearer] = block[indices[nearer]]
