"""Priors by name: densities and samples against scipy, errors, round trips."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_gen.distributions import Prior, draw_noise

# name, arguments, the same distribution in scipy
SCALARS = [
    ("Normal", {"loc": 1.0, "scale": 0.5}, stats.norm(1.0, 0.5)),
    ("Laplace", {"loc": -1.0, "scale": 2.0}, stats.laplace(-1.0, 2.0)),
    ("Logistic", {"loc": 0.0, "scale": 0.7}, stats.logistic(0.0, 0.7)),
    ("StudentT", {"df": 3, "loc": 0.5, "scale": 2}, stats.t(3, 0.5, 2.0)),
    ("Cauchy", {"loc": 0.0, "scale": 1.0}, stats.cauchy(0.0, 1.0)),
    ("Gumbel", {"loc": 0.0, "scale": 1.5}, stats.gumbel_r(0.0, 1.5)),
    ("Uniform", {"low": -2.0, "high": 3.0}, stats.uniform(-2.0, 5.0)),
]


@pytest.mark.parametrize("name, arguments, same", SCALARS, ids=[row[0] for row in SCALARS])
def test_density_and_samples(name, arguments, same):
    prior = Prior(name, size=2, **arguments)
    assert prior.noise["noise"].kind == ("normal" if name == "Normal" else "uniform")
    z = np.array([[-1.5, 0.1], [0.4, 2.5]], np.float32)
    np.testing.assert_allclose(prior.distribution().log_prob(z), same.logpdf(z).sum(1), rtol=2e-5)  # float32
    samples = prior.transform(draw_noise(prior.noise, 5000, seed=0)).numpy()
    assert samples.shape == (5000, 2)
    # a wrong location, scale or family gives p < 1e-6 at 10,000 samples
    assert stats.kstest(samples.ravel(), same.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name, arguments, same", SCALARS[1:], ids=[row[0] for row in SCALARS[1:]])
def test_samples_are_quantiles_of_uniform_noise(name, arguments, same):
    u = np.array([[0.01, 0.25], [0.5, 0.99]], np.float32)
    samples = Prior(name, size=2, **arguments).transform({"noise": u})
    # float32 digits of the noise, and TFP's iterative inverse for Student's t
    np.testing.assert_allclose(samples, same.ppf(u), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, arguments, same", SCALARS, ids=[row[0] for row in SCALARS])
def test_extreme_noise_gives_finite_samples(name, arguments, same):
    prior = Prior(name, size=2, **arguments)
    ends = np.array([[0.0, 1.0 - 2**-24]], np.float32)
    assert np.isfinite(prior.transform({"noise": ends})).all()


def test_default_prior_is_the_standard_normal():
    prior, z = Prior(size=3), np.array([[0.5, -1.0, 2.0]], np.float32)
    np.testing.assert_allclose(prior.distribution().log_prob(z), stats.norm.logpdf(z).sum(1), rtol=1e-6)
    np.testing.assert_array_equal(prior.transform({"noise": z}), z)


def test_arguments_by_dimension():
    prior = Prior("Normal", size=2, loc=[0.0, 5.0], scale=2.0)
    np.testing.assert_allclose(prior.distribution().mean(), [0.0, 5.0])
    np.testing.assert_allclose(prior.distribution().stddev(), [2.0, 2.0])


def test_correlated_normal():
    factor = np.array([[1.0, 0.0], [0.8, 0.6]], np.float32)
    prior = Prior("MultivariateNormalTriL", size=2, loc=[1.0, -1.0], scale_tril=factor.tolist())
    same = stats.multivariate_normal([1.0, -1.0], factor @ factor.T)
    z = np.array([[0.3, 0.7], [2.0, -2.0]], np.float32)
    np.testing.assert_allclose(prior.distribution().log_prob(z), same.logpdf(z), rtol=1e-5)
    noise = draw_noise(prior.noise, 20_000, 0)
    np.testing.assert_allclose(prior.transform(noise)[:5], noise["noise"][:5] @ factor.T + [1.0, -1.0], rtol=1e-5)
    # entries of a covariance from 20,000 samples have standard errors <= sqrt(2 / 20,000) = .01
    np.testing.assert_allclose(np.cov(prior.transform(noise).numpy().T), factor @ factor.T, atol=0.045)


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("Nope", {}, "Expected prior as the name of.*; received 'Nope'"),
        ("kl_divergence", {}, "Expected prior as the name of.*; received 'kl_divergence'"),
        ("Normal", {"loc": 0.0}, "Expected arguments of the prior.*'scale'"),
        ("Normal", {"loc": 0.0, "scale": 1.0, "shape": 3}, "Expected arguments of the prior"),
        ("Normal", {"loc": 0.0, "scale": -1.0}, "Expected arguments of the prior"),
        ("Normal", {"loc": float("nan"), "scale": 1.0}, "Expected a prior with finite samples"),
        ("Normal", {"loc": [0.0, 1.0, 2.0], "scale": 1.0}, "batch shape"),
        ("MultivariateNormalDiag", {"loc": [0.0, 0.0, 0.0]}, "one vector of size 2"),
        ("Poisson", {"rate": 2.0}, "Expected a prior with a quantile function"),
        ("VonMises", {"loc": 0.0, "concentration": 1.0}, "Expected a prior with a quantile function"),
        ("Dirichlet", {"concentration": [1.0, 1.0]}, "Expected a prior with a quantile function"),
        (
            "RelaxedOneHotCategorical",
            {"temperature": 0.5, "logits": [0.0, 0.0]},
            "Expected a prior with a quantile function",
        ),
    ],
)
def test_errors(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        Prior(name, size=2, **arguments)


def test_size_error():
    with pytest.raises(ValueError, match="Expected size >= 1"):
        Prior(size=0)


@pytest.mark.parametrize(
    "name, arguments, full",
    [
        ("Normal", {"loc": 0.0, "scale": 1e-3}, True),
        ("Laplace", {"loc": 0.0, "scale": 1.0}, True),
        ("SinhArcsinh", {"loc": 0.0, "scale": 1.0, "skewness": 0.5}, True),
        ("MultivariateNormalDiag", {"loc": [0.0, 1.0]}, True),
        ("Uniform", {"low": -1.0, "high": 1.0}, False),
        ("Exponential", {"rate": 1.0}, False),
        ("LogNormal", {"loc": 0.0, "scale": 1.0}, False),
        ("Beta", {"concentration1": 2.0, "concentration0": 2.0}, False),
    ],
)
def test_full_support(name, arguments, full):
    assert Prior(name, size=2, **arguments).full_support is full


@pytest.mark.parametrize(
    "prior",
    [
        Prior(size=2),
        Prior("Laplace", size=2, loc=[0.0, 1.0], scale=2.0),
        Prior("Normal", size=2, loc=np.array([0.0, 3.0]), scale=1),
        Prior("MultivariateNormalTriL", size=2, loc=[0.0, 1.0], scale_tril=[[1.0, 0.0], [0.5, 1.0]]),
    ],
    ids=["default", "laplace", "numpy", "tril"],
)
def test_serialization(prior):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
    z = np.array([[0.3, -2.0]], np.float32)
    np.testing.assert_array_equal(prior.distribution().log_prob(z), again.distribution().log_prob(z))
    np.testing.assert_array_equal(prior.transform({"noise": z**2 / 9}), again.transform({"noise": z**2 / 9}))
    assert repr(again) == repr(prior)
