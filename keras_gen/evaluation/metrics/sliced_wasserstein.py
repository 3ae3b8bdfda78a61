"""The sliced Wasserstein distance between sets of images, and nearest images, without a trained network."""

import numpy as np

from keras_gen.batching import batch_slices

from ..seeding import seeded_generator
from ..types import Progress, no_progress

# projected values of each set in memory at a time
VALUES_PER_PASS = 2**24
QUERIES_PER_PASS = 256


def sliced_wasserstein(
    first: np.ndarray,
    second: np.ndarray,
    *,
    projections: int = 1000,
    seed: int = 0,
    order: int = 2,
    progress: Progress = no_progress,
) -> float:
    """Returns the sliced Wasserstein distance, of order 2 or 1, between two sets of as many images.

    Both sets are projected on random directions theta of the unit sphere. In one dimension, optimal transport pairs the
    sorted values, so

        SW_p^p = mean over theta of mean over ranks |sorted(first . theta) - sorted(second . theta)|^p.

    With order 2, adding d to every value of a set results in a distance of about d, whatever the number of values in an
    image.

    Args:
        first: [num, ...].
        second: the same shape.
        projections: number of directions, >= 1; the relative error is about 1 / sqrt(2 * projections).
        seed: seed of the directions.
        order: p, 2 or 1.
        progress: called with (directions done, total).

    Returns:
        the distance, >= 0, in units of a pixel's value.

    Raises:
        ValueError: for sets of different shape or another order.

    Reference:
        Bonneel, Rabin, Peyre, Pfister 2015, Sliced and Radon Wasserstein barycenters of measures, Journal of
        Mathematical Imaging and Vision 51.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or len(first) == 0:
        raise ValueError(f"Expected two sets of as many images of one shape; received {first.shape} and {second.shape}")
    if order not in (1, 2):
        raise ValueError(f"Expected order 1 or 2; received {order!r}")
    first, second = (images.reshape(len(images), -1).astype(np.float32, copy=False) for images in (first, second))
    generator, total = seeded_generator(seed), 0.0
    for block in batch_slices(projections, max(1, min(100, VALUES_PER_PASS // len(first))), progress):
        directions = generator.standard_normal((first.shape[1], block.stop - block.start), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        # directions are the rows, so that each is sorted in contiguous memory
        difference, other = (directions.T @ values.T for values in (first, second))
        difference.sort(axis=1)
        other.sort(axis=1)
        difference -= other
        costs = np.square(difference) if order == 2 else np.abs(difference)
        total += costs.mean(axis=1, dtype=np.float64).sum()
    return float((total / projections) ** (1 / order))


def nearest_distance(images: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Returns the distance of each image to its nearest reference, as the root mean square over values.

    Args:
        images: [num, ...].
        references: [others, ...], images of the same shape.

    Returns:
        float64 [num], >= 0, in units of a pixel's value.

    Raises:
        ValueError: for images of different shape.
    """
    return nearest_reference(images, references)[1]


def nearest_reference(images: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the nearest reference of each image, and its distance as in `nearest_distance`.

    Args:
        images: [num, ...].
        references: [others, ...], images of the same shape.

    Returns:
        (indices, distances): int64 [num] into the references, float64 [num].

    Raises:
        ValueError: for images of different shape.
    """
    if np.shape(images)[1:] != np.shape(references)[1:]:
        raise ValueError(f"Expected images of one shape; received {np.shape(images)} and {np.shape(references)}")
    images, references = (np.reshape(i, (len(i), -1)).astype(np.float32, copy=False) for i in (images, references))
    squares = np.square(references).sum(axis=1)
    indices, distances = [], []
    for block in batch_slices(len(images), QUERIES_PER_PASS):
        rows = images[block]
        nearest = np.argmin(squares - 2.0 * rows @ references.T, axis=1)
        indices.append(nearest)
        # from the difference, because the expanded square loses all digits where images are nearly equal
        distances.append(np.sqrt(np.square(rows - references[nearest], dtype=np.float64).mean(axis=1)))
    return np.concatenate(indices), np.concatenate(distances)
