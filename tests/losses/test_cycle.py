"""Losses of image-to-image translation, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import absolute_error, adversarial, over_patches, semantic_consistency


def test_absolute_error_is_a_mean_over_pixels():
    images = tf.constant([[[[0.0], [0.5]]], [[[1.0], [1.0]]]])
    others = tf.constant([[[[0.25], [0.0]]], [[[1.0], [0.0]]]])
    np.testing.assert_allclose(absolute_error(images, others), [0.375, 0.5])  # (.25 + .5) / 2, (0 + 1) / 2
    with pytest.raises(ValueError, match="of one shape"):
        absolute_error(images, others[:, :, :1])


def test_semantic_consistency_is_the_cross_entropy_to_the_prediction_on_the_source():
    source = tf.constant([[2.0, 0.0, 0.0], [0.0, 1.0, 5.0]])
    translated = tf.math.log(tf.constant([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]))
    np.testing.assert_allclose(semantic_consistency(source, translated), [np.log(2), np.log(8)], rtol=1e-6)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([source, translated])
        loss = semantic_consistency(source, translated)
    assert tape.gradient(loss, source) is None
    # softmax minus one-hot
    np.testing.assert_allclose(tape.gradient(loss, translated)[0], [-0.5, 0.25, 0.25], rtol=1e-6)
    with pytest.raises(ValueError, match="two sets of logits"):
        semantic_consistency(source, translated[:, :2])


def test_patches_are_averaged_for_each_image():
    real = tf.reshape(tf.constant([1.0, 0.0, 1.0, 1.0]), (2, 1, 2, 1))
    generated = tf.reshape(tf.constant([0.0, 0.0, 1.0, 0.0]), (2, 1, 2, 1))
    objective = adversarial.get("least_squares")
    # image 0: patches 0 and ((0 - 1)^2 + 0) / 2; image 1: (0 + 1) / 2 and 0
    np.testing.assert_allclose(over_patches(objective.discriminator, real, generated), [0.25, 0.25])
    np.testing.assert_allclose(over_patches(objective.generator, generated), [0.5, 0.25])
    # real above 1/2 and generated below it: patches 1, 1/2 and 1/2, 1
    np.testing.assert_allclose(over_patches(objective.accuracy, real, generated), [0.75, 0.75])
    np.testing.assert_allclose(over_patches(objective.generator, tf.constant([[0.0], [1.0]])), [0.5, 0.0])
