import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.evaluation.metrics.mixture_density import log_density

tfd = tfp.distributions


@pytest.mark.parametrize("smallest", [1.0, 0.05, 1e-3])
def test_equals_the_sum_of_normal_densities(smallest):
    # for narrow components far from 0, three large terms cancel
    generator = np.random.default_rng(0)
    loc = generator.normal(0, 3, (7, 4)).astype(np.float32)
    scale = (smallest * generator.uniform(1, 2, (7, 4))).astype(np.float32)
    logits = generator.normal(0, 1, 7).astype(np.float32)
    codes = loc[generator.integers(0, 7, (5, 6))] + smallest * generator.normal(0, 1, (5, 6, 4)).astype(np.float32)
    mixture = tfd.MixtureSameFamily(tfd.Categorical(logits=logits), tfd.Independent(tfd.Normal(loc, scale), 1))
    parts = scipy.stats.norm.logpdf(codes[:, :, None].astype(np.float64), loc, scale).sum(-1)
    expected = scipy.special.logsumexp(parts + scipy.special.log_softmax(logits), axis=-1)
    values = log_density(mixture)(tf.constant(codes))
    assert values.shape == (5, 6)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-4)


def test_other_distributions_use_their_own_log_prob():
    normal = tfd.MultivariateNormalTriL(tf.zeros(3), tf.eye(3))
    codes = tf.constant([[0.5, -1.0, 2.0]])
    expected = scipy.stats.norm.logpdf([0.5, -1.0, 2.0]).sum()
    assert log_density(normal)(codes).numpy()[0] == pytest.approx(expected, rel=1e-6)
    full = tfd.MultivariateNormalTriL(tf.zeros([2, 3]), tf.eye(3, batch_shape=[2]))
    mixture = tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros(2)), full)
    assert log_density(mixture)(codes).numpy()[0] == pytest.approx(expected, rel=1e-6)
