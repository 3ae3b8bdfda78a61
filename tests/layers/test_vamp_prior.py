"""The VampPrior against an explicit mixture of the posteriors of its pseudo-inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.distributions import draw_noise, posteriors
from keras_gen.layers import VampPrior

SHAPE = (2, 3, 1)
KERNEL = np.random.default_rng(0).normal(0, 1, (6, 4)).astype(np.float32)


def encode(images):
    raw = tf.reshape(images, [-1, 6]) @ KERNEL
    return posteriors.get("diagonal_normal").distribution(raw, 2)


def prior(**options) -> VampPrior:
    return VampPrior(2, 3, SHAPE, **{"mean": 0.5, "spread": 0.3, **options})


def components(layer: VampPrior) -> tuple[np.ndarray, np.ndarray]:
    images = np.clip(np.asarray(layer.pseudo_inputs), 0, 1).reshape(3, 6)
    raw = images @ KERNEL
    return raw[:, :2], 1e-4 + np.logaddexp(0, raw[:, 2:] + 0.5413)


def test_log_density():
    layer = prior()
    loc, scale = components(layer)
    z = np.random.default_rng(1).normal(0, 2, (20, 2)).astype(np.float32)
    explicit = special.logsumexp(stats.norm.logpdf(z[:, None], loc, scale).sum(-1), axis=1) - np.log(3)
    np.testing.assert_allclose(layer.distribution(encode).log_prob(z), explicit, rtol=1e-4, atol=1e-5)


def test_samples():
    layer = prior()
    loc, scale = components(layer)
    noise = draw_noise(layer.noise, 2000, 0)
    index = np.floor(3 * noise["component"][:, 0]).astype(int)
    np.testing.assert_allclose(layer.transform(noise, encode), loc[index] + scale[index] * noise["noise"], atol=1e-5)
    # equal weights: a frequency out of 2,000 has standard error .011
    np.testing.assert_allclose(np.bincount(index, minlength=3) / 2000, [1 / 3] * 3, atol=0.05)


def test_pseudo_inputs_are_images():
    layer = prior(spread=2.0)
    images = layer.images().numpy()
    assert images.shape == (3, *SHAPE) and images.min() == 0 and images.max() == 1


def test_pseudo_inputs_have_gradients():
    layer = prior(spread=0.1)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer.distribution(encode).log_prob(tf.ones([4, 2])))
    (gradient,) = tape.gradient(value, layer.trainable_variables)
    assert np.isfinite(gradient).all() and (gradient != 0).numpy().all()


def test_config():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior(seed=3)))
    np.testing.assert_array_equal(again.pseudo_inputs, prior(seed=3).pseudo_inputs)
    assert (again.size, again.components, again.image_shape, again.mean) == (2, 3, SHAPE, 0.5)


def test_errors():
    with pytest.raises(ValueError, match="Expected size and components >= 1"):
        VampPrior(2, 0, SHAPE)
