"""A VAE with a known posterior and likelihood: a linear decoder with normal noise (probabilistic PCA)."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.posteriors import SCALE_FLOOR
from keras_gen.evaluation import log_likelihood
from keras_gen.models import VAE, BatchNoise, GlobalBatch

SHAPE, SIZE, SCALE, CENTER = (3, 2, 1), 2, 0.2, 0.5
PIXELS = 6
WEIGHTS = np.random.default_rng(3).normal(0.0, 0.3, (PIXELS, SIZE))

# p(z | x) = N(COVARIANCE W^T (x - c) / s^2, COVARIANCE), and x ~ N(c, W W^T + s^2): Bishop 2006, eq. 12.36 and 12.42
COVARIANCE = np.linalg.inv(np.eye(SIZE) + WEIGHTS.T @ WEIGHTS / SCALE**2)
TO_MEAN = WEIGHTS @ COVARIANCE / SCALE**2
MARGINAL = scipy.stats.multivariate_normal(np.full(PIXELS, CENTER), WEIGHTS @ WEIGHTS.T + SCALE**2 * np.eye(PIXELS))

# an inexact posterior: shifted, wider, and without the correlation of the true posterior
SHIFT, WIDER = np.array([0.1, -0.15]), 1.5


def model(posterior: str, num_samples: int = 1) -> VAE:
    """Returns a model with the exact posterior (`full_covariance_normal`) or the inexact one (`diagonal_normal`)."""
    flat = keras.Input(SHAPE)
    kernel, bias = np.zeros((PIXELS, SIZE)), np.zeros(SIZE)
    if posterior == "full_covariance_normal":
        factor = np.linalg.cholesky(COVARIANCE)
        raw = factor - np.diag(np.diag(factor)) + np.diag(raw_scale(np.diag(factor)))
        raw = tfp.math.fill_triangular_inverse(raw).numpy()
    else:
        bias, raw = bias + SHIFT, raw_scale(WIDER * np.sqrt(np.diag(COVARIANCE)))
    kernel, bias = kernel + TO_MEAN, bias - CENTER * TO_MEAN.sum(axis=0)
    kernel, bias = np.pad(kernel, ((0, 0), (0, len(raw)))), np.concatenate([bias, raw])
    dense = keras.layers.Dense(len(bias))
    encoder = keras.Model(flat, dense(keras.layers.Flatten()(flat)))
    dense.set_weights([kernel, bias])
    code = keras.Input((SIZE,))
    dense = keras.layers.Dense(PIXELS)
    decoder = keras.Model(code, keras.layers.Reshape(SHAPE)(dense(code)))
    dense.set_weights([WEIGHTS.T, np.full(PIXELS, CENTER)])
    head = {"name": "normal", "scale": SCALE, "squash": False}
    vae = VAE(encoder, decoder, head=head, posterior=posterior, num_samples=num_samples, seed=0)
    vae.checks_range = False  # normal pixels
    return vae


def raw_scale(scale: np.ndarray) -> np.ndarray:
    """Returns the encoder output that `posteriors.positive` maps to a scale."""
    return np.log(np.expm1(scale - SCALE_FLOOR)) - 0.5413


def images(num: int, seed: int = 0) -> np.ndarray:
    return MARGINAL.rvs(num, random_state=seed).reshape(num, *SHAPE).astype(np.float32)


def true_log_p(x: np.ndarray) -> np.ndarray:
    return MARGINAL.logpdf(x.reshape(len(x), -1))


def gap() -> float:
    """Returns KL(q || p(z|x)) of the inexact posterior, which is equal for all images: only the means depend on x."""
    precision = np.linalg.inv(COVARIANCE)
    covariance = np.diag(WIDER**2 * np.diag(COVARIANCE))
    log_ratio = np.linalg.slogdet(COVARIANCE)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (np.trace(precision @ covariance) - SIZE + SHIFT @ precision @ SHIFT + log_ratio)


def bounds(vae: VAE, x: np.ndarray, seed: int = 1) -> np.ndarray:
    """Returns the training objective of each image: the ELBO, or the bound with `num_samples` codes."""
    global_batch = GlobalBatch(tf.constant(len(x)))
    losses, _ = vae.losses_of(
        {"image": tf.constant(x)}, BatchNoise(tf.constant([seed, 0]), global_batch), global_batch, False
    )
    return -losses.numpy().astype(np.float64)


def error_of(values: np.ndarray) -> float:
    return values.std() / np.sqrt(len(values))


def test_elbo_equals_the_log_likelihood_at_the_exact_posterior():
    x = images(20_000)
    difference = bounds(model("full_covariance_normal"), x) - true_log_p(x)
    assert abs(difference.mean()) < 4 * error_of(difference)
    assert error_of(difference) < 0.01


def test_elbo_is_lower_by_the_divergence_from_the_exact_posterior():
    x = images(20_000)
    difference = bounds(model("diagonal_normal"), x) - true_log_p(x)
    assert abs(difference.mean() + gap()) < 4 * error_of(difference)


def test_evaluate_reports_the_elbo():
    vae, x = model("diagonal_normal"), images(20_000)
    vae.compile()
    results = vae.evaluate(tf.data.Dataset.from_tensor_slices({"image": x}).batch(5000), verbose=0, return_dict=True)
    # four standard errors; the standard deviation of a single ELBO is 4.8 nats
    assert results["elbo"] == pytest.approx(true_log_p(x).mean() - gap(), abs=0.14)
    assert gap() > 0.5
    assert results["elbo"] == pytest.approx(-results["reconstruction"] - results["kl"], abs=1e-4)


@pytest.mark.parametrize("num_samples", [2, 10])
def test_importance_weighted_bound_is_exact_at_the_exact_posterior(num_samples):
    # the weights p(x, z) / q(z | x) are p(x) for every z, up to 1e-5 in float32
    x = images(100)
    np.testing.assert_allclose(bounds(model("full_covariance_normal", num_samples), x), true_log_p(x), atol=1e-3)


def test_importance_weighted_bound_rises_with_the_number_of_samples():
    x = images(4000)
    rising = [bounds(model("diagonal_normal", k), x) - true_log_p(x) for k in (1, 2, 8, 32)]
    assert abs(rising[0].mean() + gap()) < 4 * error_of(rising[0])
    for fewer, more in zip(rising, rising[1:], strict=False):
        difference = more - fewer
        assert difference.mean() > 4 * error_of(difference)
    assert rising[-1].mean() < 4 * error_of(rising[-1])


@pytest.mark.parametrize("posterior", ["diagonal_normal", "full_covariance_normal"])
def test_log_likelihood_is_estimated_within_a_tenth_of_a_nat(posterior):
    x = images(10)
    estimated = log_likelihood(model(posterior), x, 5000)
    np.testing.assert_allclose(estimated, true_log_p(x), atol=0.1)


def test_estimate_with_one_sample_is_the_elbo_in_expectation():
    x = images(4000)
    difference = log_likelihood(model("diagonal_normal"), x, 1) - true_log_p(x)
    assert abs(difference.mean() + gap()) < 4 * error_of(difference)


def test_training_the_encoder_reduces_the_gap_to_its_minimum():
    # the best diagonal posterior has the exact means and the variances 1 / diag(precision)
    precision = np.linalg.inv(COVARIANCE)
    smallest = 0.5 * (np.log(np.diag(precision)).sum() + np.linalg.slogdet(COVARIANCE)[1])
    vae, x = model("diagonal_normal"), images(2000)
    vae.decoder.trainable = False
    vae.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.03, 200)))
    vae.fit(tf.data.Dataset.from_tensor_slices({"image": x}).batch(200), epochs=20, verbose=0)
    fresh = images(20_000, seed=1)
    difference = bounds(vae, fresh) - true_log_p(fresh)
    assert smallest < gap() / 2
    assert -difference.mean() == pytest.approx(smallest, abs=4 * error_of(difference) + 0.02)
