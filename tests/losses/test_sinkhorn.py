"""Sinkhorn normalization and the cross-entropy of an assignment: fixed points, limits, hand-computed numbers."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from keras_gen.losses import assignment_cross_entropy, log_sinkhorn

SCORES = np.random.default_rng(0).normal(size=(3, 5, 5)).astype(np.float32)


def test_rows_and_columns_sum_to_one():
    matrix = np.exp(log_sinkhorn(tf.constant(SCORES), 100))
    # columns are normalized last; the rows have converged after 100 rounds, to float32 rounding
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix.sum(2), 1, atol=1e-5)


def test_two_by_two_by_hand():
    """[[a, 0], [0, 0]] converges to p on the diagonal with p^2 / (1 - p)^2 = exp(a), odds ratios are preserved."""
    matrix = np.exp(log_sinkhorn(tf.constant([[[2.0, 0.0], [0.0, 0.0]]]), 50))[0]
    p = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(matrix, [[p, 1 - p], [1 - p, p]], atol=1e-6)


def test_constants_added_to_rows_and_columns_have_no_effect():
    shifted = SCORES + np.float32([1, -2, 3, 0, 5])[None, :, None] + np.float32([4, 0, -1, 2, 1])[None, None]
    unshifted, shifted_result = log_sinkhorn(tf.constant(SCORES), 60), log_sinkhorn(tf.constant(shifted), 60)
    np.testing.assert_allclose(unshifted, shifted_result, atol=1e-4)  # both converge to the same limit


def test_sharp_scores_give_the_best_assignment():
    matrix = np.exp(log_sinkhorn(tf.constant(200 * SCORES), 300))
    for assignment, scores in zip(matrix, SCORES, strict=True):
        np.testing.assert_array_equal(assignment.argmax(1), linear_sum_assignment(scores, maximize=True)[1])


def test_cross_entropy_by_hand():
    """Position 0 is correct for tile 0 (1/2), positions 0 and 1 are for tile 1 (3/4 + 1/4); tile 2 is missing."""
    probabilities = tf.constant([[[0.5, 0.3, 0.2], [0.75, 0.25, 0.0], [0.0, 0.0, 1.0]]])
    targets = tf.constant([[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])
    loss = assignment_cross_entropy(probabilities, targets, tf.constant([[1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(loss, [np.log(2) / 2], rtol=1e-6)
    np.testing.assert_array_equal(assignment_cross_entropy(probabilities, targets, tf.zeros([1, 3])), [0])


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match=r"scores \[batch, num, num\]; received the shape \(3, 5, 4\)"):
        log_sinkhorn(tf.zeros([3, 5, 4]))
    with pytest.raises(ValueError, match="Expected iterations as an integer >= 1; received 0"):
        log_sinkhorn(tf.zeros([3, 5, 5]), 0)
    with pytest.raises(ValueError, match="received the shapes"):
        assignment_cross_entropy(tf.zeros([3, 5]), tf.zeros([3, 5]), tf.zeros([3]))
