"""Tiles: splitting, joining and comparison."""

import numpy as np
import tensorflow as tf

from keras_gen.models.puzzlegan.tiles import identical, join, seams, split

IMAGES = np.random.default_rng(0).random((2, 6, 9, 3)).astype(np.float32)


def test_tiles_are_row_by_row():
    tiles = split(tf.constant(IMAGES), 3).numpy()
    assert tiles.shape == (2, 9, 2, 3, 3)
    np.testing.assert_array_equal(tiles[:, 5], IMAGES[:, 2:4, 6:9])


def test_join_is_the_inverse_of_split():
    np.testing.assert_array_equal(join(split(tf.constant(IMAGES), 3), 3), IMAGES)


def test_identical_tiles():
    tiles = split(tf.constant(IMAGES), 3).numpy()
    tiles[:, 4] = tiles[:, 0]
    tiles[:, 7] = tiles[:, 6] + np.float32(1 / 255)
    expected = np.eye(9)
    expected[0, 4] = expected[4, 0] = 1
    np.testing.assert_array_equal(identical(tf.constant(tiles), tf.constant(tiles)), [expected] * 2)
    reversed_tiles = tiles[:, ::-1].copy()
    np.testing.assert_array_equal(identical(tf.constant(reversed_tiles), tf.constant(tiles)), [expected[::-1]] * 2)


def test_seams_of_neighbors():
    """In a horizontal ramp, adjacent tiles differ by one step at their seam, and the borders of one tile by two."""
    ramp = np.arange(9, dtype=np.float32)[None, None, :, None] * np.ones((1, 6, 1, 3), np.float32) / 10
    differences = seams(split(tf.constant(ramp), 3)).numpy()[0]
    right, left, below, above = np.moveaxis(differences, 2, 0)
    np.testing.assert_allclose(right[0, 1], 0.1, atol=1e-6)  # columns 2 and 3
    np.testing.assert_allclose(right[0, 0], 0.2, atol=1e-6)  # columns 2 and 0
    np.testing.assert_allclose(right[1, 0], 0.5, atol=1e-6)  # columns 5 and 0
    np.testing.assert_array_equal(left, right.T)
    np.testing.assert_array_equal(above, below.T)
    np.testing.assert_allclose(below[0, 3], 0, atol=1e-6)
    np.testing.assert_allclose(below[0, 4], 0.3, atol=1e-6)
