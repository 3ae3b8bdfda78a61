"""The minimax game with known densities: D*, V(D*), the Jensen-Shannon divergence, and a trained discriminator."""

import functools

import keras
import numpy as np
import pytest
import scipy.integrate
import tensorflow_probability as tfp
from scipy import stats

from keras_gen.distributions import (
    discriminator_error,
    jensen_shannon,
    optimal_discriminator,
    optimal_logit,
    value_function,
)
from keras_gen.networks import mlp_discriminator

tfd = tfp.distributions
P = tfd.Normal(-1.0, 1.0)
Q = tfd.MixtureSameFamily(tfd.Categorical(probs=[0.3, 0.7]), tfd.Normal([-2.0, 1.5], [0.5, 1.0]))
PAIRS = {
    "normal and mixture": (P, Q),
    "laplace and normal": (tfd.Laplace(0.0, 1.0), tfd.Normal(0.5, 1.0)),
    "uniforms that overlap": (tfd.Uniform(0.0, 1.0), tfd.Uniform(0.5, 1.5)),
}


def test_optimal_discriminator():
    x = np.array([[-3.0, -0.5], [0.3, 2.0]])
    p = stats.norm(-1, 1).pdf(x)
    q = 0.3 * stats.norm(-2, 0.5).pdf(x) + 0.7 * stats.norm(1.5, 1).pdf(x)
    np.testing.assert_allclose(optimal_discriminator(P, Q, x), p / (p + q), rtol=1e-5)
    # two normals of equal scale: the logit is linear, also where both densities are 0 in floating point
    left, right = tfd.Normal(np.float64(-1), np.float64(1)), tfd.Normal(np.float64(1), np.float64(1))
    np.testing.assert_allclose(optimal_logit(left, right, [-100.0, 0.0, 100.0]), [200.0, 0.0, -200.0], atol=1e-9)


def test_optimal_discriminator_outside_supports():
    p, q = PAIRS["uniforms that overlap"]
    np.testing.assert_array_equal(optimal_discriminator(p, q, [0.2, 0.7, 1.2, 5.0]), [1.0, 0.5, 0.0, 0.5])


def test_jensen_shannon_of_equal_and_of_disjoint():
    assert abs(jensen_shannon(Q, Q)) < 1e-6
    np.testing.assert_allclose(jensen_shannon(tfd.Uniform(0.0, 1.0), tfd.Uniform(1.0, 2.0)), np.log(2), atol=1e-6)
    np.testing.assert_allclose(jensen_shannon(tfd.Normal(0.0, 0.1), tfd.Normal(20.0, 0.1)), np.log(2), atol=1e-5)


def test_jensen_shannon_by_other_formulas():
    # half of the mass of each uniform is not shared, where log(p / m) = log 2, and half is shared (0)
    np.testing.assert_allclose(jensen_shannon(*PAIRS["uniforms that overlap"]), np.log(2) / 2, atol=1e-6)
    # entropies: H(m) - H(p) / 2 - H(q) / 2, with scipy's densities and integrals
    p, q = stats.laplace(0, 1), stats.norm(0.5, 1)

    def entropy_density(x):
        m = (p.pdf(x) + q.pdf(x)) / 2
        return -m * np.log(m)

    entropy = scipy.integrate.quad(entropy_density, -30, 30, points=[0, 0.5], limit=200)[0]
    expected = entropy - p.entropy() / 2 - q.entropy() / 2
    np.testing.assert_allclose(jensen_shannon(*PAIRS["laplace and normal"]), expected, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_value_at_the_optimum(name):
    p, q = PAIRS[name]
    optimal = functools.partial(optimal_logit, p, q)
    best, divergence = value_function(optimal, p, q), jensen_shannon(p, q)
    np.testing.assert_allclose(best, 2 * divergence - np.log(4), atol=1e-6)
    assert discriminator_error(optimal, p, q) < 1e-6
    # any other discriminator has a lower value
    assert value_function(lambda x: np.clip(optimal(x), -9, 9) + 0.1, p, q) < best - 1e-4


def test_value_and_error_of_a_constant_discriminator():
    p, q = tfd.Uniform(0.0, 1.0), tfd.Uniform(1.0, 2.0)
    for shape in ((-1,), (-1, 1)):
        constant = lambda x, shape=shape: np.zeros(len(x)).reshape(shape)  # noqa: E731    D = 1/2
        np.testing.assert_allclose(value_function(constant, p, q), -np.log(4), atol=1e-6)
        np.testing.assert_allclose(discriminator_error(constant, p, q), 0.5, atol=1e-6)  # D* is 1 or 0


def test_limits():
    cauchy = tfd.Cauchy(0.0, 1.0)
    with pytest.raises(ValueError, match=r"Expected distributions with a finite mean and variance.*pass limits"):
        jensen_shannon(cauchy, P)
    with pytest.raises(ValueError, match="0.9365 and 1.0000 of it"):  # 2 / pi atan(10) = .9365
        jensen_shannon(cauchy, P, limits=(-10, 10))
    assert 0 < jensen_shannon(cauchy, P, limits=(-20_000, 20_000)) < np.log(2)
    with pytest.raises(ValueError, match=r"Expected limits as \(low, high\)"):
        jensen_shannon(P, Q, limits=(1, -1))


def test_a_stochastic_discriminator():
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match="Expected an integral that converges.*discontinuous everywhere"):
        value_function(lambda x: random.normal(size=len(x)), P, Q)


def test_errors():
    with pytest.raises(ValueError, match="two distributions of a scalar"):
        jensen_shannon(P, tfd.Normal([0.0, 1.0], 1.0))
    with pytest.raises(ValueError, match=r"one logit for each of \d+ points \[num, 1\]; received"):
        value_function(lambda x: np.zeros((len(x), 2)), P, Q)


def test_a_trained_discriminator_approaches_the_optimum():
    keras.utils.set_random_seed(0)
    num, batch, epochs = 50_000, 500, 5
    x = np.concatenate([P.sample(num, seed=1), Q.sample(num, seed=2)])[:, None]
    real = np.repeat([1.0, 0.0], num)[:, None]
    order = np.random.default_rng(0).permutation(2 * num)
    model = mlp_discriminator((1,), hidden_units=(32, 32), activation="tanh")
    assert discriminator_error(model, P, Q) > 0.1
    rate = keras.optimizers.schedules.CosineDecay(0.03, 2 * num // batch * epochs)
    model.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x[order], real[order], batch_size=batch, epochs=epochs, verbose=0)
    # ten seeds gave .004 to .009
    assert discriminator_error(model, P, Q) < 0.02
    best = 2 * jensen_shannon(P, Q) - np.log(4)
    assert best - 0.01 < value_function(model, P, Q) < best
