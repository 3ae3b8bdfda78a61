"""The petal prior: density against scipy, samples against the density, and classes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.distributions import PetalPrior, draw_noise

PRIOR = PetalPrior(5, radius=3.0, length=0.6, breadth=0.2)


def petal(k: int):
    """Returns mean and covariance, rotated from the first petal."""
    a = 2 * np.pi * k / 5
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return turn @ [3.0, 0.0], turn @ np.diag([0.36, 0.04]) @ turn.T


def test_density():
    z = np.random.default_rng(0).normal(0, 2, (50, 2)).astype(np.float32)
    expected = np.mean([stats.multivariate_normal(*petal(k)).pdf(z) for k in range(5)], axis=0)
    distribution = PRIOR.distribution()
    assert distribution.batch_shape == [] and distribution.event_shape == [2]
    np.testing.assert_allclose(distribution.prob(z), expected, rtol=1e-3, atol=1e-12)  # float32 in the exponent


def test_a_label_selects_the_petal():
    noise = draw_noise(PRIOR.noise, 20_000, seed=0)
    for k in (0, 3):
        mean, covariance = petal(k)
        samples = PRIOR.transform(noise, label=tf.one_hot(tf.fill([20_000], k), 5)).numpy()
        # standard errors: .6 / sqrt(20,000) = .004 of a mean, sqrt(2 / 20,000) * .36 = .004 of a variance
        np.testing.assert_allclose(samples.mean(axis=0), mean, atol=0.017)
        np.testing.assert_allclose(np.cov(samples.T), covariance, atol=0.015)
        lengths = ((samples - mean) @ np.linalg.inv(covariance) * (samples - mean)).sum(axis=1)
        assert stats.kstest(lengths, stats.chi2(2).cdf).pvalue > 1e-3


def test_without_a_label_the_uniform_selects_the_petal():
    centers = np.array([petal(k)[0] for k in range(5)])
    component = np.array([[0.0], [0.19], [0.21], [0.5], [0.99], [1 - 2**-24]], np.float32)
    noise = {"noise": np.zeros((6, 2), np.float32), "component": component}
    np.testing.assert_allclose(PRIOR.transform(noise), centers[[0, 0, 1, 2, 4, 4]], atol=1e-6)
    # a row of zeros is no label; labels take precedence over the uniform
    label = np.zeros((6, 5), np.float32)
    label[[3, 4], [1, 0]] = 1
    np.testing.assert_allclose(PRIOR.transform(noise, label=label), centers[[0, 0, 1, 1, 0, 4]], atol=1e-6)
    assert PRIOR.sampler() == PRIOR.transform


def test_samples_cover_the_petals_equally():
    samples = PRIOR.transform(draw_noise(PRIOR.noise, 10_000, seed=1)).numpy()
    nearest = np.argmin([((samples - petal(k)[0]) ** 2).sum(axis=1) for k in range(5)], axis=0)
    # 2,000 each, with a standard deviation of 40
    assert np.abs(np.bincount(nearest, minlength=5) - 2000).max() < 160


def test_serialization_and_no_random_operation():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(PRIOR))
    noise = draw_noise(PRIOR.noise, 4, seed=0)
    np.testing.assert_array_equal(again.transform(noise), PRIOR.transform(noise))
    specification = {name: tf.TensorSpec([None, *each.shape]) for name, each in PRIOR.noise.items()}
    graph = tf.function(PRIOR.transform).get_concrete_function(specification, label=tf.TensorSpec([None, 5])).graph
    assert not any("Random" in operation.type for operation in graph.get_operations())


def test_errors():
    noise = draw_noise(PRIOR.noise, 2, seed=0)
    with pytest.raises(ValueError, match="Expected labels of 5 classes, one per petal; received 3"):
        PRIOR.transform(noise, label=np.eye(3, dtype=np.float32)[:2])
    with pytest.raises(ValueError, match=r"one-hot labels \[num, classes\]; received the shape \(2,\)"):
        PRIOR.transform(noise, label=np.zeros(2, np.float32))
    for arguments in ({"components": 0}, {"breadth": 0.0}):
        with pytest.raises(ValueError, match="Expected components >= 1, and radius, length and breadth > 0"):
            PetalPrior(**arguments)
