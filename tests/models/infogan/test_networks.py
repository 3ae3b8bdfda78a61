"""InfoGAN's trunk and heads against table 1 of its appendix."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen import networks
from keras_gen.models.infogan.networks import infogan_discriminator_head, infogan_q_head, infogan_trunk


def num_trainable(model) -> int:
    return sum(weight.numpy().size for weight in model.trainable_weights)


def test_layer_sizes_are_those_of_the_paper():
    """By hand for 28x28: a bias, or scale and shift if a normalization follows."""
    trunk = infogan_trunk((28, 28, 1), base_filters=64, dense_units=1024)
    assert trunk.output_shape == (None, 1024)
    assert num_trainable(trunk) == (16 * 64 + 64) + (16 * 64 * 128 + 2 * 128) + (7 * 7 * 128 * 1024 + 2 * 1024)
    assert num_trainable(infogan_discriminator_head(1024)) == 1025
    # 128 units, then 10 logits, 2 means, 2 scales
    assert num_trainable(infogan_q_head(1024, 14)) == 1024 * 128 + 2 * 128 + 129 * 14
    # 62 noise dimensions, 10 categories, 2 codes
    generator = networks.dcgan_generator(74, (28, 28, 1), dense_units=1024)
    projected = (74 * 1024 + 2 * 1024) + (1024 * 7 * 7 * 128 + 2 * 128)
    assert num_trainable(generator) == projected + (16 * 128 * 64 + 2 * 64) + (16 * 64 + 1)
    slopes = {layer.negative_slope for layer in trunk.layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert len(slopes) == 1 and np.isclose(slopes.pop(), 0.1)


def test_gradients_of_both_heads_reach_the_trunk():
    trunk = infogan_trunk((8, 8, 1), base_filters=2, dense_units=6)
    heads = infogan_discriminator_head(6), infogan_q_head(6, 4, hidden_units=5)
    images = np.random.default_rng(0).random((5, 8, 8, 1)).astype(np.float32)
    for head, outputs in zip(heads, (1, 4), strict=True):
        with tf.GradientTape() as tape:
            result = head(trunk(images, training=True), training=True)
            loss = tf.reduce_sum(result**2)
        assert result.shape == (5, outputs)
        gradients = tape.gradient(loss, trunk.trainable_weights)
        assert all(np.abs(gradient).max() > 0 for gradient in gradients)
