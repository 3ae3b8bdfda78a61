"""Minibatch standard deviation against numpy, group by group."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import MinibatchStandardDeviation

X = np.random.default_rng(0).normal(size=(6, 2, 3, 4)).astype(np.float32)


def expected_stddev(group: np.ndarray) -> float:
    return group.std(axis=0).mean()


@pytest.mark.parametrize(("rows", "size"), [(6, 3), (6, 2), (5, 5)])
def test_groups_are_neighbors_and_a_remainder_is_one_group(rows, size):
    layer = MinibatchStandardDeviation(size if rows == 6 else 2)
    outputs = np.asarray(layer(X[:rows]))
    assert outputs.shape == (rows, 2, 3, 5)
    np.testing.assert_array_equal(outputs[..., :4], X[:rows])
    for start in range(0, rows, size):
        np.testing.assert_allclose(
            outputs[start : start + size, ..., 4], expected_stddev(X[start : min(start + size, rows)]), rtol=1e-5
        )


def test_equal_examples_have_a_finite_gradient():
    layer, x = MinibatchStandardDeviation(2), tf.ones((4, 2, 2, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x)[..., 1])
    assert np.isfinite(tape.gradient(total, x)).all() and float(total) < 0.01


def test_symbolic_shape_has_one_additional_channel():
    assert MinibatchStandardDeviation()(keras.Input((2, 2, 7))).shape == (None, 2, 2, 8)


@pytest.mark.parametrize("size", [1, 0, 2.0, True])
def test_errors(size):
    with pytest.raises(ValueError, match="Expected group_size as an integer >= 2"):
        MinibatchStandardDeviation(size)
