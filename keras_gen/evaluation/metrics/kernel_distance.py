"""The kernel distance (KID): an unbiased estimate of a maximum mean discrepancy, with its standard error."""

from typing import NamedTuple

import numpy as np

from keras_gen.batching import batch_slices

from ..seeding import seeded_generator
from .feature_sets import feature_pair
from .standard_error import sample_standard_error

ROWS_PER_BLOCK = 1024


class KernelDistance(NamedTuple):
    """A squared maximum mean discrepancy.

    Attributes:
        value: mean over the subsets; unbiased, so it may be negative.
        error: standard error of the value.
        subsets: number of disjoint parts into which both sets were split.
    """

    value: float
    error: float
    subsets: int


def kernel_distance(first: np.ndarray, second: np.ndarray, *, subsets: int = 10, seed: int = 0) -> KernelDistance:
    """Returns the squared maximum mean discrepancy under the cubic kernel (x . y / size + 1)^3, by disjoint subsets.

    Both sets are shuffled and split into `subsets` parts of (almost) equal size, and each pair of parts yields one
    unbiased estimate. The parts share no sample, so the estimates are independent, and their standard deviation /
    sqrt(subsets) is the standard error of their mean. (Subsets that are sampled independently overlap, and their
    standard deviation does not measure the error.) The expected value does not depend on the number of samples or
    subsets.

    Args:
        first: features [num, size].
        second: features [other num, size].
        subsets: >= 2; 10 of 1,000 for 10,000 samples, the papers' usual size.
        seed: seed of the shuffling.

    Returns:
        a KernelDistance.

    Raises:
        ValueError: for fewer than 2 samples in a subset, or features of different size.

    Reference:
        Binkowski, Sutherland, Arbel, Gretton 2018, Demystifying MMD GANs, arXiv:1801.01401, section 4.
        Zaremba, Gretton, Blaschko 2013, B-tests, arXiv:1307.1954 (means over blocks).
    """
    if subsets < 2:
        raise ValueError(f"Expected subsets >= 2 for a standard error over subsets; received {subsets}")
    first, second = feature_pair(first, second, min_features=2 * subsets)
    generator = seeded_generator(seed)
    orders = [np.array_split(generator.permutation(len(features)), subsets) for features in (first, second)]
    values = np.array([squared_discrepancy(first[a], second[b]) for a, b in zip(*orders, strict=True)])
    return KernelDistance(float(values.mean()), sample_standard_error(values), subsets)


def squared_discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the unbiased estimate of the squared maximum mean discrepancy from all pairs.

        sum_{i != j} k(x_i, x_j) / (m (m - 1)) + sum_{i != j} k(y_i, y_j) / (n (n - 1))
            - 2 sum_{i, j} k(x_i, y_j) / (m n)

    Args:
        first: features [m, size], m >= 2.
        second: features [n, size], n >= 2.

    Returns:
        the estimate; negative where the sets are closer than expected by chance.

    Reference:
        Gretton, Borgwardt, Rasch, Schoelkopf, Smola 2012, A kernel two-sample test, Journal of Machine Learning
        Research 13, lemma 6.
    """
    first, second = (features.astype(np.float64) for features in feature_pair(first, second))
    value = -2.0 * _kernel_sum(first, second) / (len(first) * len(second))
    for features in (first, second):
        num, size = features.shape
        diagonal = _cube(np.square(features).sum(axis=1) / size + 1.0).sum()
        value += (_kernel_sum(features, features) - diagonal) / (num * (num - 1))
    return float(value)


def _kernel_sum(rows: np.ndarray, columns: np.ndarray) -> float:
    scaled = columns.T / rows.shape[1]
    return sum(_cube(rows[block] @ scaled + 1.0).sum() for block in batch_slices(len(rows), ROWS_PER_BLOCK))


def _cube(values: np.ndarray) -> np.ndarray:
    return values * values * values
