"""The ring and the grid: means, spacing, density at a mean."""

import numpy as np
import pytest

from keras_gen.distributions import gaussian_grid, gaussian_ring


def means(mixture):
    return mixture.components_distribution.mean().numpy()


def test_ring():
    ring = gaussian_ring()
    half = np.sqrt(0.5)
    expected = [[1, 0], [half, half], [0, 1], [-half, half], [-1, 0], [-half, -half], [0, -1], [half, -half]]
    np.testing.assert_allclose(means(ring), expected, atol=1e-6)
    # only one of eight Gaussians reaches its mean: 1 / 8 of 1 / (2 pi 0.01^2)
    np.testing.assert_allclose(ring.prob(means(ring)), 1 / 8 / (2 * np.pi * 1e-4), rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(means(gaussian_ring(3, radius=2.0)), axis=1), 2.0, rtol=1e-6)


def test_grid():
    grid = gaussian_grid()
    expected = {(-4 + 2 * i, -4 + 2 * j) for i in range(5) for j in range(5)}
    assert {tuple(mean) for mean in means(grid).round(6).tolist()} == expected
    np.testing.assert_allclose(grid.prob(means(grid)), 1 / 25 / (2 * np.pi * 0.0025), rtol=1e-4)


def test_errors():
    for build in (lambda: gaussian_ring(0), lambda: gaussian_grid(scale=0.0)):
        with pytest.raises(ValueError, match="at least one Gaussian and scale > 0"):
            build()
