"""Joint embedding losses against hand-computed numbers."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import contrastive, structured

SCORES = tf.constant([[2.0, 1.0, 0.0], [0.5, 1.0, 1.0]])
OWN = tf.constant([0, 2])
NONE_SAME = tf.constant([[True, False, False], [False, False, True]])


def test_contrastive_is_minus_the_log_probability_of_the_right_partner():
    e = np.exp
    expected = [-np.log(e(2) / (e(2) + e(1) + e(0))), -np.log(e(1) / (e(0.5) + e(1) + e(1)))]
    np.testing.assert_allclose(contrastive(SCORES, OWN, NONE_SAME), expected, rtol=1e-6)
    equal = tf.zeros([2, 3])
    np.testing.assert_allclose(contrastive(equal, OWN, NONE_SAME), np.log(3), rtol=1e-6)


def test_structured_is_the_margin_that_the_best_wrong_partner_breaks():
    # 1 + 1 - 2 = 0, and 1 + 1 - 1 = 1
    np.testing.assert_allclose(structured(SCORES, OWN, NONE_SAME), [0.0, 1.0])
    np.testing.assert_allclose(structured(SCORES, OWN, NONE_SAME, margin=1.5), [0.5, 1.5])
    # only the right and the worst partner are moved
    with tf.GradientTape() as tape:
        tape.watch(SCORES)
        loss = tf.reduce_sum(structured(SCORES, OWN, NONE_SAME, margin=1.5))
    gradient = tape.gradient(loss, SCORES).numpy()
    np.testing.assert_allclose(gradient, [[-1, 1, 0], [0, 1, -1]])


@pytest.mark.parametrize("loss", [contrastive, structured])
def test_an_equal_caption_is_no_mismatch(loss):
    same = tf.constant([[True, True, False], [False, False, True]])
    without = loss(tf.constant([[2.0, 0.0]]), tf.constant([0]), tf.constant([[True, False]]))
    np.testing.assert_allclose(loss(SCORES, OWN, same)[0], without[0], rtol=1e-6)
    # nothing to be told apart from: no loss
    np.testing.assert_allclose(loss(SCORES[:1], OWN[:1], tf.constant([[True] * 3])), [0.0], atol=1e-7)


def test_the_right_partner_counts_even_where_it_is_not_marked_as_same():
    np.testing.assert_allclose(contrastive(SCORES, OWN, tf.zeros([2, 3], tf.bool)), contrastive(SCORES, OWN, NONE_SAME))


def test_shapes():
    with pytest.raises(ValueError, match=r"Expected scores \[rows, total\]"):
        contrastive(SCORES[0], OWN, NONE_SAME)
