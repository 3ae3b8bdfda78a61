"""Divergences against formulas in numpy, and against quadrature."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import integrate, stats

from keras_gen.distributions import CLOSED_FORM, MONTE_CARLO, Prior, kl, kl_per_dimension, posteriors

tfd = tfp.distributions

MEAN = np.array([[0.3, -1.2, 2.0], [0.0, 0.0, 0.0]], np.float32)
SCALE = np.array([[0.5, 1.7, 0.1], [1.0, 1.0, 1.0]], np.float32)
FACTOR = np.array([[1.0, 0.0], [0.8, 0.5]], np.float32)


def diagonal():
    return tfd.Independent(tfd.Normal(tf.constant(MEAN), tf.constant(SCALE)), 1)


def full(batch: int = 1):
    loc = tf.constant([[0.4, -0.7]] * batch)
    return tfd.MultivariateNormalTriL(loc, tf.constant([FACTOR] * batch))


def kl_of_normals(m0, c0, m1, c1) -> float:
    """KL(N(m0, c0) || N(m1, c1)) = (tr(c1^-1 c0) + d' c1^-1 d - size + log det c1 - log det c0) / 2."""
    d, inverse = m1 - m0, np.linalg.inv(c1)
    return 0.5 * (
        np.trace(inverse @ c0) + d @ inverse @ d - len(d) + np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1]
    )


def test_two_normals_by_hand():
    # per dimension: (s^2 + m^2 - 1) / 2 - log s
    by_hand = (SCALE**2 + MEAN**2 - 1) / 2 - np.log(SCALE)
    divergence = kl(diagonal(), Prior(size=3).distribution())
    assert divergence.method == CLOSED_FORM
    assert divergence.value.dtype == tf.float32
    np.testing.assert_allclose(divergence.value, by_hand.sum(1), rtol=1e-5)  # float32 sums of three terms
    np.testing.assert_allclose(kl_per_dimension(diagonal(), Prior(size=3).distribution()), by_hand, rtol=1e-5)
    assert divergence.value[1] == 0  # q = p


def test_another_normal_as_prior():
    prior = Prior("Normal", size=3, loc=[1.0, 0.0, -1.0], scale=2.0)
    expected = [
        kl_of_normals(m, np.diag(s**2), np.array([1.0, 0.0, -1.0]), 4 * np.eye(3))
        for m, s in zip(MEAN, SCALE, strict=True)
    ]
    np.testing.assert_allclose(kl(diagonal(), prior.distribution()).value, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "prior, loc, covariance",
    [
        (Prior(size=2), np.zeros(2), np.eye(2)),
        (Prior("Normal", size=2, loc=[1.0, 2.0], scale=[0.5, 3.0]), np.array([1.0, 2.0]), np.diag([0.25, 9.0])),
        (
            Prior("MultivariateNormalTriL", size=2, loc=[1.0, 0.0], scale_tril=[[2.0, 0.0], [-1.0, 1.0]]),
            np.array([1.0, 0.0]),
            np.array([[4.0, -2.0], [-2.0, 2.0]]),
        ),
    ],
    ids=["standard", "independent", "correlated"],
)
def test_full_covariance(prior, loc, covariance):
    expected = kl_of_normals(np.array([0.4, -0.7]), FACTOR @ FACTOR.T, loc, covariance)
    divergence = kl(full(3), prior.distribution())
    assert divergence.method == CLOSED_FORM
    np.testing.assert_allclose(divergence.value, [expected] * 3, rtol=1e-5)


def test_diagonal_posterior_and_correlated_prior():
    covariance = np.array([[4.0, -2.0], [-2.0, 2.0]])
    prior = Prior("MultivariateNormalTriL", size=2, loc=[1.0, 0.0], scale_tril=[[2.0, 0.0], [-1.0, 1.0]])
    q = tfd.Independent(tfd.Normal(tf.constant(MEAN[:, :2]), tf.constant(SCALE[:, :2])), 1)
    expected = [
        kl_of_normals(m[:2], np.diag(s[:2] ** 2), np.array([1.0, 0.0]), covariance)
        for m, s in zip(MEAN, SCALE, strict=True)
    ]
    divergence = kl(q, prior.distribution())
    assert divergence.method == CLOSED_FORM
    np.testing.assert_allclose(divergence.value, expected, rtol=1e-5)


def test_monte_carlo_agrees_with_quadrature():
    mean, scale = 0.7, 0.6
    q = tfd.Independent(tfd.Normal(tf.constant([[mean]]), tf.constant([[scale]])), 1)
    p = Prior("Laplace", size=1, loc=0.5, scale=2.0).distribution()
    ratio = lambda z: stats.norm.logpdf(z, mean, scale) - stats.laplace.logpdf(z, 0.5, 2.0)  # noqa: E731
    exact, _ = integrate.quad(lambda z: stats.norm.pdf(z, mean, scale) * ratio(z), -8, 8, points=[0.5])
    noise = np.random.default_rng(0).standard_normal((20_000, 1, 1)).astype(np.float32)
    samples = mean + scale * noise
    divergence = kl(q, p, tf.constant(samples))
    assert divergence.method == MONTE_CARLO
    assert divergence.value.dtype == tf.float32
    error = ratio(samples).std() / np.sqrt(len(samples))
    assert abs(divergence.value[0] - exact) < 4 * error  # a correct estimate fails for one in 16,000 seeds
    assert 4 * error < 0.05 * exact  # the test would detect a wrong estimate


def test_monte_carlo_of_one_sample_is_the_log_ratio():
    q, p = diagonal(), Prior("Logistic", size=3, loc=0.0, scale=1.0).distribution()
    z = MEAN[None] + 0.5 * SCALE[None]
    by_hand = stats.norm.logpdf(z, MEAN, SCALE) - stats.logistic.logpdf(z)
    np.testing.assert_allclose(kl(q, p, tf.constant(z)).value, by_hand.sum(-1)[0], rtol=1e-5)


def test_missing_samples_raise():
    with pytest.raises(ValueError, match="Expected samples of q.*no closed form"):
        kl(diagonal(), Prior("Laplace", size=3, loc=0.0, scale=1.0).distribution())


def test_per_dimension_needs_independent_dimensions():
    with pytest.raises(ValueError, match="posterior with independent dimensions"):
        kl_per_dimension(full(), Prior(size=2).distribution())
    with pytest.raises(ValueError, match="prior with independent dimensions"):
        kl_per_dimension(diagonal(), Prior("MultivariateNormalDiag", size=3, loc=[0.0] * 3).distribution())


def test_per_dimension_needs_a_closed_form():
    with pytest.raises(ValueError, match="whose KL has a closed form"):
        kl_per_dimension(diagonal(), Prior("Laplace", size=3, loc=0.0, scale=1.0).distribution())


@pytest.mark.parametrize("name, size", [("diagonal_normal", 3), ("full_covariance_normal", 3)])
def test_float32_from_bfloat16_parameters(name, size):
    # an encoder under mixed precision may output bfloat16: the divergence is float32 of the rounded parameters
    family = posteriors.get(name)
    raw = tf.random.stateless_normal([4, family.outputs(size)], [1, 2])
    rounded = tf.cast(raw, tf.bfloat16)
    divergence = kl(family.distribution(rounded, size), Prior(size=size).distribution())
    assert divergence.value.dtype == tf.float32
    exact = kl(family.distribution(tf.cast(rounded, tf.float32), size), Prior(size=size).distribution())
    np.testing.assert_array_equal(divergence.value, exact.value)
