"""Attributes in groups: cross-entropies and accuracies by hand."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import group_accuracy, group_cross_entropy

GROUPS = (3, 1, 1)
LOGITS = tf.constant(
    [[np.log(2.0), 0.0, 0.0, 0.0, np.log(3.0)], [0.0, 0.0, np.log(2.0), -np.log(3.0), -1.0]], tf.float32
)
LABELS = tf.constant([[1.0, 0, 0, 1, 1], [1.0, 0, 0, 1, 0]])


def test_cross_entropy_by_hand():
    # softmax (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2); sigmoids 1/2, 3/4 and 1/4, 1 / (1 + e)
    first = np.log(2) + np.log(2) + np.log(4 / 3)
    second = np.log(4) + np.log(4) + np.log(1 + np.exp(-1.0))
    np.testing.assert_allclose(group_cross_entropy(LOGITS, LABELS, GROUPS), [first, second], rtol=1e-6)


def test_only_known_groups_count():
    known = tf.constant([[1.0, 0, 0], [0.0, 1, 1]])
    second = np.log(4) + np.log(1 + np.exp(-1.0))
    np.testing.assert_allclose(group_cross_entropy(LOGITS, LABELS, GROUPS, known), [np.log(2), second], rtol=1e-6)
    # logits and attributes of unknown groups have no effect and no gradient
    others = tf.constant([[0.0, 0, 0, 9, -9], [7.0, -7, 3, 0, 0]])
    with tf.GradientTape() as tape:
        tape.watch(others)
        losses = group_cross_entropy(LOGITS + others, LABELS, GROUPS, known)
    np.testing.assert_allclose(losses, [np.log(2), second], rtol=1e-6)
    gradient = tape.gradient(losses, others).numpy()
    assert not gradient[0, 3:].any() and not gradient[1, :3].any() and gradient[0, :3].any() and gradient[1, 3:].any()


def test_accuracy_by_hand():
    # the second attribute of the first row has logit 0: not predicted
    np.testing.assert_allclose(group_accuracy(LOGITS, LABELS, GROUPS), [2 / 3, 1 / 3], rtol=1e-6)
    known = tf.constant([[1.0, 1, 0], [1.0, 0, 0]])
    np.testing.assert_allclose(group_accuracy(LOGITS, LABELS, GROUPS, known), [1 / 2, 0], atol=1e-7)
    np.testing.assert_allclose(group_accuracy(LOGITS, LABELS, GROUPS, tf.zeros([2, 3])), [1, 1])


@pytest.mark.parametrize("function", [group_cross_entropy, group_accuracy])
def test_mismatched_shapes_are_refused(function):
    with pytest.raises(ValueError, match=r"attributes \[batch, 4\] for the groups \(3, 1\)"):
        function(LOGITS, LABELS, (3, 1))
    with pytest.raises(ValueError, match=r"known \[batch, 3\]"):
        function(LOGITS, LABELS, GROUPS, tf.zeros([2, 5]))
