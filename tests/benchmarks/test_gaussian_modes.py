import numpy as np
import pytest

from benchmarks import gaussian_modes
from keras_gen.distributions import gaussian_grid, gaussian_ring

RING, GRID = (m.components_distribution.mean().numpy() for m in (gaussian_ring(), gaussian_grid()))


def draw(centers, deviation, num, seed=0):
    generator = np.random.default_rng(seed)
    return centers[generator.integers(len(centers), size=num)] + deviation * generator.normal(size=(num, 2))


@pytest.mark.parametrize("centers, deviation", [(RING, 0.01), (GRID, 0.05)])
def test_the_mixture_itself(centers, deviation):
    found = gaussian_modes(draw(centers, deviation, 40_000), centers, deviation)
    assert found.covered == len(centers)
    # a squared distance in units of the variance is chi-squared with 2 degrees of freedom
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=4 * np.sqrt(0.989 * 0.011 / 40_000))


def test_three_standard_deviations_are_the_border():
    points = np.array([[2.99, 0.0], [3.01, 0.0], [0.0, -2.99], [-2.2, -2.2], [10.0, 2.9]])
    found = gaussian_modes(points, np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]), 1.0)
    assert (found.covered, found.high_quality, list(found.counts)) == (2, 0.6, [2, 1, 0])


def test_dropped_modes_and_points_between():
    points = np.concatenate([draw(GRID[:10], 0.001, 500), np.full((500, 2), 1.0)])
    found = gaussian_modes(points, GRID, 0.05)
    assert (found.covered, found.high_quality) == (10, 0.5)
    assert found.counts.sum() == 500 and not found.counts[10:].any()


def test_errors():
    with pytest.raises(ValueError, match="Expected points and centers"):
        gaussian_modes(np.zeros((4, 3)), RING, 0.1)
    with pytest.raises(ValueError, match="NaN"):
        gaussian_modes(np.full((4, 2), np.nan), RING, 0.1)
    with pytest.raises(ValueError, match="deviation must be > 0"):
        gaussian_modes(np.zeros((4, 2)), RING, 0.0)
