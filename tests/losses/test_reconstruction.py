"""Reconstruction losses by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import bernoulli_cross_entropy, squared_error

IMAGES = np.array([[[[0.0], [1.0]]], [[[0.5], [1.0]]]], np.float32)  # two images of 1x2 pixels
OTHER = np.array([[[[0.5], [1.0]]], [[[0.0], [0.0]]]], np.float32)


def test_squared_error():
    np.testing.assert_allclose(squared_error(IMAGES, OTHER), [0.25, 1.25])


def test_bernoulli_cross_entropy():
    logits = tf.constant([[[[0.0], [math.log(3)]]], [[[0.0], [-math.log(3)]]]])  # p = 1/2, 3/4; 1/2, 1/4
    np.testing.assert_allclose(
        bernoulli_cross_entropy(IMAGES, logits), [math.log(2) + math.log(4 / 3), math.log(2) + math.log(4)], rtol=1e-6
    )
    assert np.isfinite(bernoulli_cross_entropy(IMAGES, 1e5 * (logits + 1))).all()


@pytest.mark.parametrize("loss", [squared_error, bernoulli_cross_entropy])
def test_float32_from_bfloat16(loss):
    low = tf.cast(OTHER, tf.bfloat16)
    assert loss(IMAGES, low).dtype == tf.float32
    np.testing.assert_allclose(loss(IMAGES, low), loss(IMAGES, OTHER))


@pytest.mark.parametrize("loss", [squared_error, bernoulli_cross_entropy])
@pytest.mark.parametrize("other", [OTHER[..., 0], np.repeat(OTHER, 3, -1), OTHER[:, :, :1]])
def test_shapes_that_would_broadcast(loss, other):
    with pytest.raises(ValueError, match="images and .* of one shape .batch, height, width, channels."):
        loss(tf.constant(IMAGES), tf.constant(other))
