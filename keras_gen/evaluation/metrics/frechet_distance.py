"""The Frechet distance between two sets of features, as if both were normally distributed."""

import numpy as np

from .feature_sets import feature_pair


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The squared Frechet (2-Wasserstein) distance of the normal distributions with the sets' means and covariances.

    With features of the Inception network of Heusel et al., `fid_features`, this is their FID; with other features it
    is another number and is never compared with a published FID. It is biased upwards by about a constant / samples:
    compare equal numbers of samples only, and read it beside the distance of real images to real images.

    Args:
        first, second: features [num, size]; each set needs more than `size` of them, or its covariance has no full
            rank and the bias takes over.

    Returns:
        The distance, >= 0, in squared units of a feature.

    Raises:
        ValueError: for too few features or sets that do not fit each other.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(1000, 4))
        >>> round(frechet_distance(x, x + 1.0), 6)
        4.0

    Reference:
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, arXiv:1706.08500, eq. 6.
        Chong, Forsyth 2020, Effectively unbiased FID and Inception score, arXiv:1911.07023, section 3 (the bias).
    """
    first, second = feature_pair(first, second)
    fewest, size = min(len(first), len(second)), first.shape[1]
    if fewest <= size:
        raise ValueError(
            f"A Frechet distance of {size} features needs more than {size} samples in each set, or a covariance has no "
            f"full rank; received {len(first)} and {len(second)}. Take more samples, or smaller features"
        )
    return normal_frechet_distance(*moments(first), *moments(second))


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean [size] and the covariance [size, size] of features [num, size], in double precision, num >= 2."""
    features = features.astype(np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def normal_frechet_distance(
    first_mean: np.ndarray, first_covariance: np.ndarray, second_mean: np.ndarray, second_covariance: np.ndarray
) -> float:
    """The squared Frechet distance of two normal distributions.

        d^2 = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1^(1/2) S2 S1^(1/2))^(1/2))

    With S = F F^T, F the eigenvectors times the roots of the eigenvalues, the last trace is the sum of the singular
    values of F1^T F2. Nothing complex can appear, a singular covariance is no exception, and rounding stays at the
    size of the traces' own, which a root of eigenvalues near 0 would not do.

    Args:
        first_mean, second_mean: [size].
        first_covariance, second_covariance: [size, size], symmetric.

    Returns:
        The distance, >= 0.

    Reference:
        Dowson, Landau 1982, The Frechet distance between multivariate normal distributions, Journal of Multivariate
        Analysis 12(3).
    """
    factors, total = [], np.sum(np.square(first_mean - second_mean))
    for covariance in (first_covariance, second_covariance):
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)
        factors.append(vectors * np.sqrt(values))
        total += values.sum()
    shared = np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum()
    return float(max(0.0, total - 2.0 * shared))
