"""Minibatch standard deviation against numpy, group by group."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import MinibatchStandardDeviation

X = np.random.default_rng(0).normal(size=(6, 2, 3, 4)).astype(np.float32)


def by_numpy(group: np.ndarray) -> float:
    return group.std(axis=0).mean()


@pytest.mark.parametrize(("rows", "size"), [(6, 3), (6, 2), (5, 5)])
def test_groups_are_neighbours_and_a_remainder_makes_one_group(rows, size):
    layer = MinibatchStandardDeviation(size if rows == 6 else 2)
    made = np.asarray(layer(X[:rows]))
    assert made.shape == (rows, 2, 3, 5)
    np.testing.assert_array_equal(made[..., :4], X[:rows])
    for start in range(0, rows, size):
        np.testing.assert_allclose(
            made[start : start + size, ..., 4], by_numpy(X[start : min(start + size, rows)]), rtol=1e-5
        )


def test_equal_examples_have_a_finite_gradient():
    layer, x = MinibatchStandardDeviation(2), tf.ones((4, 2, 2, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = tf.reduce_sum(layer(x)[..., 1])
    assert np.isfinite(tape.gradient(made, x)).all() and float(made) < 0.01


def test_the_symbolic_shape_has_one_channel_more():
    assert MinibatchStandardDeviation()(keras.Input((2, 2, 7))).shape == (None, 2, 2, 8)


@pytest.mark.parametrize("size", [1, 0, 2.0, True])
def test_refused(size):
    with pytest.raises(ValueError, match="group_size must be an integer >= 2"):
        MinibatchStandardDeviation(size)
