"""The Frechet distance between two sets of features, as if both were normally distributed."""

import numpy as np

from .feature_sets import feature_pair


def frechet_distance(first: np.ndarray, second: np.ndarray, *, full_rank: bool = True) -> float:
    """Returns the squared Frechet (2-Wasserstein) distance of normal distributions fitted to two sets of features.

    With the features of Heusel et al.'s Inception network (`feature_extractor("fid")`), this is the FID; with other
    features it must not be compared with a published FID. It is biased upwards by about a constant / samples: compare
    equal numbers of samples only, and next to the distance of real images to real images.

    Args:
        first: features [num, size].
        second: features [other num, size].
        full_rank: whether num > size is required, so that the covariances have full rank. A distance of fewer samples
            is finite and its bias large.

    Returns:
        the distance, >= 0, in squared units of a feature.

    Raises:
        ValueError: for too few features or features of different size.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(1000, 4))
        >>> round(frechet_distance(x, x + 1.0), 6)
        4.0

    Reference:
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, arXiv:1706.08500, eq. 6.
        Chong, Forsyth 2020, Effectively unbiased FID and Inception score, arXiv:1911.07023, section 3 (the bias).
    """
    first, second = feature_pair(first, second)
    smaller, size = min(len(first), len(second)), first.shape[1]
    if full_rank and smaller <= size:
        raise ValueError(
            f"Expected more than {size} samples in each set for a Frechet distance of {size} features, so that the "
            f"covariances have full rank; received {len(first)} and {len(second)}. Take more samples, or smaller "
            "features"
        )
    return normal_frechet_distance(*moments(first), *moments(second))


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean [size] and covariance [size, size] of features [num, size] in float64, num >= 2."""
    features = features.astype(np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def normal_frechet_distance(
    first_mean: np.ndarray, first_covariance: np.ndarray, second_mean: np.ndarray, second_covariance: np.ndarray
) -> float:
    """Returns the squared Frechet distance of two normal distributions.

        d^2 = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1^(1/2) S2 S1^(1/2))^(1/2))

    With S = F F^T, F the eigenvectors times the square roots of the eigenvalues, the last trace is the sum of the
    singular values of F1^T F2. This has no complex values, works for singular covariances, and its rounding error is
    that of the traces, unlike square roots of eigenvalues near 0.

    Args:
        first_mean: [size].
        first_covariance: [size, size], symmetric.
        second_mean: [size].
        second_covariance: [size, size], symmetric.

    Returns:
        the distance, >= 0.

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
    cross = np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum()
    return float(max(0.0, total - 2.0 * cross))
