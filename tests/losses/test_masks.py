"""Losses of masks against hand-computed numbers."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import intersection_over_union, mask_cross_entropy, masked_error

LEFT = np.float32([[1, 0], [1, 0]])[None, ..., None]
TOP = np.float32([[1, 1], [0, 0]])[None, ..., None]


def test_cross_entropy_of_even_odds_is_log_two():
    np.testing.assert_allclose(mask_cross_entropy(LEFT, tf.zeros_like(LEFT)), [np.log(2)], rtol=1e-6)
    # odds of 3 : 1 for the correct value in every pixel: -log 3/4
    np.testing.assert_allclose(mask_cross_entropy(LEFT, np.log(3.0) * (2 * LEFT - 1)), [np.log(4 / 3)], rtol=1e-6)


def test_masked_error_ignores_pixels_outside():
    outputs = np.float32([[0.5, 9.0], [0.25, 9.0]])[None, ..., None] * np.ones(3, np.float32)
    np.testing.assert_allclose(masked_error(tf.zeros([1, 2, 2, 3]), tf.constant(outputs), LEFT), [0.375], rtol=1e-6)
    np.testing.assert_array_equal(masked_error(tf.zeros([1, 2, 2, 3]), tf.constant(outputs), 0 * LEFT), [0])


def test_intersection_over_union_by_hand():
    mask, predicted = np.concatenate([LEFT, LEFT, 0 * LEFT]), np.concatenate([TOP, LEFT, 0 * LEFT])
    # one common pixel of three; equal; both empty
    np.testing.assert_allclose(intersection_over_union(tf.constant(mask), tf.constant(predicted)), [1 / 3, 1, 1])


def test_different_shapes_are_refused():
    for function in (mask_cross_entropy, intersection_over_union):
        with pytest.raises(ValueError, match="of one shape"):
            function(LEFT, tf.zeros([1, 2, 3, 1]))
    with pytest.raises(ValueError, match="images and outputs of one shape"):
        masked_error(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 2, 1]), LEFT)
