"""Joint embedding losses against hand-computed numbers."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import contrastive, structured

SCORES = tf.constant([[2.0, 1.0, 0.0], [0.5, 1.0, 1.0]])
POSITIVES = tf.constant([0, 2])
NO_DUPLICATES = tf.constant([[True, False, False], [False, False, True]])


def test_contrastive_is_minus_the_log_probability_of_the_positive():
    e = np.exp
    expected = [-np.log(e(2) / (e(2) + e(1) + e(0))), -np.log(e(1) / (e(0.5) + e(1) + e(1)))]
    np.testing.assert_allclose(contrastive(SCORES, POSITIVES, NO_DUPLICATES), expected, rtol=1e-6)
    equal = tf.zeros([2, 3])
    np.testing.assert_allclose(contrastive(equal, POSITIVES, NO_DUPLICATES), np.log(3), rtol=1e-6)


def test_structured_is_the_margin_violation_of_the_best_negative():
    # 1 + 1 - 2 = 0, and 1 + 1 - 1 = 1
    np.testing.assert_allclose(structured(SCORES, POSITIVES, NO_DUPLICATES), [0.0, 1.0])
    np.testing.assert_allclose(structured(SCORES, POSITIVES, NO_DUPLICATES, margin=1.5), [0.5, 1.5])
    # only the positive and the best negative have a gradient
    with tf.GradientTape() as tape:
        tape.watch(SCORES)
        loss = tf.reduce_sum(structured(SCORES, POSITIVES, NO_DUPLICATES, margin=1.5))
    gradient = tape.gradient(loss, SCORES).numpy()
    np.testing.assert_allclose(gradient, [[-1, 1, 0], [0, 1, -1]])


@pytest.mark.parametrize("loss", [contrastive, structured])
def test_an_equal_caption_is_not_a_negative(loss):
    duplicates = tf.constant([[True, True, False], [False, False, True]])
    without = loss(tf.constant([[2.0, 0.0]]), tf.constant([0]), tf.constant([[True, False]]))
    np.testing.assert_allclose(loss(SCORES, POSITIVES, duplicates)[0], without[0], rtol=1e-6)
    # no negatives: no loss
    np.testing.assert_allclose(loss(SCORES[:1], POSITIVES[:1], tf.constant([[True] * 3])), [0.0], atol=1e-7)


def test_positive_is_never_a_negative():
    np.testing.assert_allclose(
        contrastive(SCORES, POSITIVES, tf.zeros([2, 3], tf.bool)), contrastive(SCORES, POSITIVES, NO_DUPLICATES)
    )


def test_shapes():
    with pytest.raises(ValueError, match=r"Expected scores \[rows, total\]"):
        contrastive(SCORES[0], POSITIVES, NO_DUPLICATES)
