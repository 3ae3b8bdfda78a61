"""The way between two codes, against what geometry says."""

import numpy as np
import pytest

from demos.panels.interpolation import between

T = np.linspace(0, 1, 7)


@pytest.mark.parametrize("path", ["line", "arc"])
def test_it_starts_at_the_first_and_ends_at_the_second(path):
    first, second = np.random.default_rng(0).normal(size=(2, 5))
    np.testing.assert_allclose(between(first, second, [0, 1], path), [first, second], rtol=1e-6)


def test_a_line_is_even():
    np.testing.assert_allclose(between(np.zeros(2), np.array([4.0, 8.0]), [0.25, 0.5]), [[1, 2], [2, 4]])


def test_an_arc_turns_evenly_and_keeps_the_length():
    found = between(np.array([2.0, 0.0]), np.array([0.0, 2.0]), T, "arc")
    expected = 2 * np.stack([np.cos(T * np.pi / 2), np.sin(T * np.pi / 2)], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("second", [np.array([3.0, 6.0]), np.array([-1.0, -2.0]), np.zeros(2)])
def test_where_there_is_no_arc_it_is_the_line(second):
    first = np.array([1.0, 2.0])
    np.testing.assert_allclose(between(first, second, T, "arc"), between(first, second, T), atol=1e-6)


def test_an_unknown_path_is_refused():
    with pytest.raises(ValueError, match="Unknown path 'curve': expected 'line' or 'arc'"):
        between(np.zeros(2), np.ones(2), T, "curve")
