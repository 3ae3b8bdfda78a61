"""Mixtures of Gaussians in the plane: how many modes a generator finds, and how many of its points lie in one."""

from typing import NamedTuple

import numpy as np

from keras_gen.evaluation.metrics.pairwise import squared_distances

# standard deviations
NEAR = 3.0


class GaussianModes(NamedTuple):
    """What points cover.

    covered: modes with at least one high-quality point.
    high_quality: share of points that are of high quality, 0 to 1; 1 - exp(-9/2) = 0.989 for the mixture itself.
    counts: high-quality points of each mode, int64 [modes].
    """

    covered: int
    high_quality: float
    counts: np.ndarray


def gaussian_modes(points: np.ndarray, centers: np.ndarray, deviation: float) -> GaussianModes:
    """Modes covered and the share of high-quality points.

    A point is of high quality where it lies within three standard deviations of the nearest center; a mode is covered
    where it is the nearest center of at least one such point.

    Args:
        points: [num, dimensions].
        centers: [modes, dimensions], such as `keras_gen.distributions.gaussian_ring().components_distribution.mean()`.
        deviation: standard deviation of each Gaussian in each dimension, > 0.

    Returns:
        A GaussianModes.

    Raises:
        ValueError: for points or centers of other shapes, points that are not finite, or deviation <= 0.

    Reference:
        Srivastava, Valkov, Russell, Gutmann, Sutton 2017, VEEGAN, arXiv:1705.07761, section 5.1.
        Lin, Khetan, Fanti, Oh 2018, PacGAN, arXiv:1712.04086 (2D-ring and 2D-grid).
    """
    points, centers = np.asarray(points), np.asarray(centers)
    if points.ndim != 2 or centers.ndim != 2 or points.shape[1] != centers.shape[1] or 0 in (len(points), len(centers)):
        raise ValueError(f"Expected points and centers [num, dimensions]; received {points.shape} and {centers.shape}")
    if not np.isfinite(points).all():
        raise ValueError("The points hold NaN or infinity")
    if not deviation > 0:
        raise ValueError(f"deviation must be > 0; received {deviation}")
    counts = np.zeros(len(centers), np.int64)
    for _, distances in squared_distances(points, centers):
        nearest = distances.argmin(axis=1)
        near = distances.min(axis=1) <= (NEAR * deviation) ** 2
        counts += np.bincount(nearest[near], minlength=len(centers))
    return GaussianModes(int(np.count_nonzero(counts)), float(counts.sum() / len(points)), counts)
