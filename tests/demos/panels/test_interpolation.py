"""Interpolation between two codes, against closed forms."""

import numpy as np
import pytest

from demos.panels.interpolation import interpolate_vectors

T = np.linspace(0, 1, 7)


@pytest.mark.parametrize("path", ["line", "arc"])
def test_a_path_starts_at_the_first_and_ends_at_the_second_code(path):
    first, second = np.random.default_rng(0).normal(size=(2, 5))
    np.testing.assert_allclose(interpolate_vectors(first, second, [0, 1], path), [first, second], rtol=1e-6)


def test_a_line_has_equal_steps():
    np.testing.assert_allclose(interpolate_vectors(np.zeros(2), np.array([4.0, 8.0]), [0.25, 0.5]), [[1, 2], [2, 4]])


def test_an_arc_has_equal_angles_and_constant_norm():
    path = interpolate_vectors(np.array([2.0, 0.0]), np.array([0.0, 2.0]), T, "arc")
    expected = 2 * np.stack([np.cos(T * np.pi / 2), np.sin(T * np.pi / 2)], axis=1)
    np.testing.assert_allclose(path, expected, atol=1e-6)


@pytest.mark.parametrize("second", [np.array([3.0, 6.0]), np.array([-1.0, -2.0]), np.zeros(2)])
def test_vectors_without_an_arc_use_the_line(second):
    first = np.array([1.0, 2.0])
    np.testing.assert_allclose(
        interpolate_vectors(first, second, T, "arc"), interpolate_vectors(first, second, T), atol=1e-6
    )


def test_an_unknown_path_is_refused():
    with pytest.raises(ValueError, match="Expected a path of 'line' or 'arc'; received 'curve'"):
        interpolate_vectors(np.zeros(2), np.ones(2), T, "curve")
