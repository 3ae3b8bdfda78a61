"""Planes in latent space: they contain the codes that define them, and pixels of a map correspond to positions."""

import numpy as np
import pytest

from demos.panels.codes import Codes
from demos.panels.latent_planes import position_of, principal, through, tiles, two_dimensions

CODES = Codes(
    mean=np.array([0.5, 0.0, 1.0]),
    std=np.ones(3),
    low=np.array([-3.0, -4.0, -3.0]),
    high=np.array([3.0, 8.0, 5.0]),
    directions=np.array([[3.0, 0.0, 0.0], [0.0, 0.0, -2.0]]),
    measured=np.zeros((1, 3)),
)


def test_a_plane_of_two_dimensions_spans_their_range():
    plane = two_dimensions(CODES, 2, 1, np.array([9.0, 9.0, 9.0]))
    expected = [[9.0, -4.0, -3.0], [9.0, 8.0, 5.0], [9.0, 2.0, 1.0]]
    np.testing.assert_allclose(plane.codes([[-1, -1], [1, 1], [0, 0]]), expected)
    assert plane.codes([[0, 0]]).dtype == np.float32


def test_equal_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"Expected two different dimensions; received z\[1\] twice"):
        two_dimensions(CODES, 1, 1, np.zeros(3))


def test_principal_plane_contains_the_mean():
    np.testing.assert_allclose(
        principal(CODES).codes([[0, 0], [1, 0], [0, -1]]), [[0.5, 0, 1], [3.5, 0, 1], [0.5, 0, 3]]
    )


def test_a_plane_through_three_codes_has_them_at_its_corners():
    corners = np.random.default_rng(0).normal(size=(3, 5))
    codes = through(*corners).codes([[-1, -1], [1, -1], [-1, 1]])
    np.testing.assert_allclose(codes, corners, atol=1e-6)  # float32


def test_tiles_are_in_reading_order_and_y_points_up():
    np.testing.assert_allclose(tiles(2), [[-0.5, 0.5], [0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])


def test_center_pixel_of_a_tile_is_the_position_of_its_code():
    steps, side = 3, 5  # 15 x 15 pixels; the center of a tile is its third pixel
    centers = [(column * side + 2, row * side + 2) for row in range(steps) for column in range(steps)]
    np.testing.assert_allclose([position_of(pixel, 15, 15) for pixel in centers], tiles(steps), atol=1e-12)
