"""Distances between sets of images, in pixels: no trained network decides what counts."""

import numpy as np


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, *, projections: int = 1000, seed: int = 0) -> float:
    """The sliced 2-Wasserstein distance between two sets of as many images.

    Both sets are projected on random directions theta of the unit sphere. In one dimension the optimal transport
    pairs the sorted values, so

        SW^2 = mean over theta of mean over ranks (sorted(first . theta) - sorted(second . theta))^2.

    Adding d to every value of a set gives a distance of about d, whatever the number of values in an image.

    Args:
        first, second: [num, ...], same shape.
        projections: directions, >= 1; the relative error is about 1 / sqrt(2 * projections).
        seed: of the directions.

    Returns:
        The distance, >= 0, in units of a pixel's value.

    Raises:
        ValueError: for sets of different shape.

    Reference:
        Bonneel, Rabin, Peyre, Pfister 2015, Sliced and Radon Wasserstein barycenters of measures, Journal of
        Mathematical Imaging and Vision 51, definition 4.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or len(first) == 0:
        raise ValueError(f"Expected two sets of as many images of one shape; received {first.shape} and {second.shape}")
    first, second = (images.reshape(len(images), -1).astype(np.float32) for images in (first, second))
    generator = np.random.Generator(np.random.Philox(key=seed))
    total = 0.0
    for start in range(0, projections, 100):
        directions = generator.standard_normal((first.shape[1], min(100, projections - start)), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        gap = np.sort(first @ directions, axis=0) - np.sort(second @ directions, axis=0)
        total += np.square(gap, dtype=np.float64).mean(axis=0).sum()
    return float(np.sqrt(total / projections))


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
    if np.shape(images)[1:] != np.shape(references)[1:]:
        raise ValueError(f"Expected images of one shape; received {np.shape(images)} and {np.shape(references)}")
    images, references = (np.reshape(i, (len(i), -1)).astype(np.float32) for i in (images, references))
    squares = np.square(references).sum(axis=1)
    distances = []
    for start in range(0, len(images), 256):
        rows = images[start : start + 256]
        nearest = np.argmin(squares - 2.0 * rows @ references.T, axis=1)
        # the expanded square has lost its digits where images are nearly equal: the difference itself has not
        distances.append(np.sqrt(np.square(rows - references[nearest], dtype=np.float64).mean(axis=1)))
    return np.concatenate(distances)
