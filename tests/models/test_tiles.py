"""Tiles: cut, joined, compared."""

import numpy as np
import tensorflow as tf

from keras_gen.models.tiles import alike, join, split

IMAGES = np.random.default_rng(0).random((2, 6, 9, 3)).astype(np.float32)


def test_tiles_are_row_by_row():
    tiles = split(tf.constant(IMAGES), 3).numpy()
    assert tiles.shape == (2, 9, 2, 3, 3)
    np.testing.assert_array_equal(tiles[:, 5], IMAGES[:, 2:4, 6:9])


def test_join_is_the_reverse():
    np.testing.assert_array_equal(join(split(tf.constant(IMAGES), 3), 3), IMAGES)


def test_alike():
    tiles = split(tf.constant(IMAGES), 3).numpy()
    tiles[:, 4] = tiles[:, 0]
    tiles[:, 7] = tiles[:, 6] + np.float32(1 / 255)
    expected = np.eye(9)
    expected[0, 4] = expected[4, 0] = 1
    np.testing.assert_array_equal(alike(tf.constant(tiles), tf.constant(tiles)), [expected] * 2)
    moved = tiles[:, ::-1].copy()
    np.testing.assert_array_equal(alike(tf.constant(moved), tf.constant(tiles)), [expected[::-1]] * 2)
