import numpy as np
import pytest
import scipy.linalg

from keras_gen.evaluation.metrics.frechet_distance import frechet_distance, normal_frechet_distance
from tests.evaluation.features.peer_features import peer_features


def whitened(num: int, size: int) -> np.ndarray:
    """Returns samples whose mean is 0 and whose covariance is I, up to rounding."""
    values = np.random.default_rng(0).normal(size=(num, size))
    values -= values.mean(axis=0)
    return values @ np.linalg.inv(np.linalg.cholesky(np.cov(values.T))).T


def test_two_gaussians_in_closed_form():
    # with commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2
    first = whitened(500, 3)
    second = first * [1.0, 2.0, 0.5] + [0.0, 3.0, 4.0]
    assert frechet_distance(first, second) == pytest.approx(25 + 1 + 0.25, rel=1e-9)


def test_covariances_that_do_not_commute():
    generator = np.random.default_rng(1)
    (first, second) = (a @ a.T for a in generator.normal(size=(2, 5, 5)))
    root = scipy.linalg.sqrtm(first @ second).real
    expected = np.trace(first) + np.trace(second) - 2 * np.trace(root)
    zero = np.zeros(5)
    assert normal_frechet_distance(zero, first, zero, second) == pytest.approx(expected, rel=1e-6)
    assert normal_frechet_distance(zero, second, zero, first) == pytest.approx(expected, rel=1e-6)


def test_a_point_and_a_gaussian():
    # the covariance of a point is 0: |m1 - m2|^2 + tr(S)
    zeros = np.zeros((4, 4))
    assert normal_frechet_distance(np.zeros(4), zeros, np.full(4, 2.0), np.eye(4)) == pytest.approx(16 + 4)


def test_distance_to_itself_is_zero_even_with_repeated_features():
    values = whitened(300, 4)
    values = np.concatenate([values, values[:, :2], np.zeros((300, 3))], axis=1)
    # the traces are about 8, with relative errors of 1e-16
    assert frechet_distance(values, values[::-1]) == pytest.approx(0, abs=1e-12)


def test_equals_clean_fid():
    # clean-fid 0.1.35, cleanfid.fid.frechet_distance of the sets' means and np.cov
    assert frechet_distance(*peer_features()) == pytest.approx(0.9820156464182297, rel=1e-9)


def test_too_few_samples_and_invalid_numbers():
    values = np.random.default_rng(0).normal(size=(9, 8))
    assert frechet_distance(values, values) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="more than 8 samples in each set.*received 9 and 8"):
        frechet_distance(values, values[:8])
    values[3, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        frechet_distance(values, values)
    with pytest.raises(ValueError, match="one size"):
        frechet_distance(values, values[:, :7])
