"""Distances between sets of images, in pixels: no trained network decides what counts."""

from collections.abc import Callable

import numpy as np

# projected values that are held at a time, for each set
VALUES = 2**24


def sliced_wasserstein(
    first: np.ndarray,
    second: np.ndarray,
    *,
    projections: int = 1000,
    seed: int = 0,
    order: int = 2,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """The sliced Wasserstein distance, of order 2 or 1, between two sets of as many images.

    Both sets are projected on random directions theta of the unit sphere. In one dimension the optimal transport
    pairs the sorted values, so

        SW_p^p = mean over theta of mean over ranks |sorted(first . theta) - sorted(second . theta)|^p.

    With order 2, adding d to every value of a set gives a distance of about d, whatever the number of values in an
    image.

    Args:
        first, second: [num, ...], same shape.
        projections: directions, >= 1; the relative error is about 1 / sqrt(2 * projections).
        seed: of the directions.
        order: p, 2 or 1.
        progress: called with (directions done, all of them).

    Returns:
        The distance, >= 0, in units of a pixel's value.

    Raises:
        ValueError: for sets of different shape, or another order.

    Reference:
        Bonneel, Rabin, Peyre, Pfister 2015, Sliced and Radon Wasserstein barycenters of measures, Journal of
        Mathematical Imaging and Vision 51.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or len(first) == 0:
        raise ValueError(f"Expected two sets of as many images of one shape; received {first.shape} and {second.shape}")
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2; received {order!r}")
    first, second = (images.reshape(len(images), -1).astype(np.float32, copy=False) for images in (first, second))
    generator = np.random.Generator(np.random.Philox(key=seed))
    total = 0.0
    step = max(1, min(100, VALUES // len(first)))
    for start in range(0, projections, step):
        progress(start, projections)
        directions = generator.standard_normal((first.shape[1], min(step, projections - start)), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        # directions first: each is then sorted in one run of memory
        gap, other = (directions.T @ values.T for values in (first, second))
        gap.sort(axis=1)
        other.sort(axis=1)
        gap -= other
        total += (np.square(gap) if order == 2 else np.abs(gap)).mean(axis=1, dtype=np.float64).sum()
    return float((total / projections) ** (1 / order))


def nearest_distance(images: np.ndarray, references: np.ndarray) -> np.ndarray:
    """The distance of each image to the nearest of the references, as the root mean square over its values.

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
    """Which of the references is nearest to each image, and how far it is, as in `nearest_distance`.

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
    for start in range(0, len(images), 256):
        rows = images[start : start + 256]
        nearest = np.argmin(squares - 2.0 * rows @ references.T, axis=1)
        # the expanded square has lost its digits where images are nearly equal: the difference itself has not
        indices.append(nearest)
        distances.append(np.sqrt(np.square(rows - references[nearest], dtype=np.float64).mean(axis=1)))
    return np.concatenate(indices), np.concatenate(distances)
