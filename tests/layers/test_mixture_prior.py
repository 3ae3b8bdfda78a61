"""The mixture prior against direct sums in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.distributions import draw_noise
from keras_gen.layers import MixturePrior
from keras_gen.layers.mixture_prior import sample_mixture

LOC = np.array([[-4.0, 0.0], [0.0, 3.0], [5.0, -1.0]], np.float32)
RAW = np.array([[0.0, 1.0], [-1.0, 0.5], [0.3, -0.7]], np.float32)
SCALE = 1e-4 + np.logaddexp(0, RAW + 0.5413)
LOGITS = np.array([0.0, 1.0, -0.5], np.float32)
WEIGHTS = special.softmax(LOGITS)


def mixture() -> MixturePrior:
    layer = MixturePrior(2, 3)
    layer.loc.assign(LOC), layer.raw_scale.assign(RAW), layer.logits.assign(LOGITS)
    return layer


def log_density(z: np.ndarray) -> np.ndarray:
    parts = stats.norm.logpdf(z[:, None], LOC, SCALE).sum(-1)
    return special.logsumexp(parts + np.log(WEIGHTS), axis=1)


def test_log_density():
    z = np.random.default_rng(0).normal(0, 3, (20, 2)).astype(np.float32)
    np.testing.assert_allclose(mixture().distribution().log_prob(z), log_density(z), rtol=1e-4, atol=1e-5)


def test_samples():
    layer, num = mixture(), 20_000
    samples = layer.transform(draw_noise(layer.noise, num, 0)).numpy()
    nearest = np.argmin((((samples[:, None] - LOC) / SCALE) ** 2).sum(-1), axis=1)
    counts = np.bincount(nearest, minlength=3) / num
    # components are distant, so few samples are nearest to another one; a frequency has standard error <= .0036
    np.testing.assert_allclose(counts, WEIGHTS, atol=0.02)
    mean = (WEIGHTS[:, None] * LOC).sum(0)
    second = (WEIGHTS[:, None] * (SCALE**2 + LOC**2)).sum(0)
    stddev = np.sqrt(second - mean**2)
    assert (np.abs(samples.mean(0) - mean) < 4.5 * stddev / np.sqrt(num)).all()
    np.testing.assert_allclose((samples**2).mean(0), second, rtol=0.05)


@pytest.mark.parametrize("uniform, component", [(0.0, 0), (0.2499, 0), (0.25, 1), (0.7499, 1), (1 - 2**-24, 2)])
def test_uniform_selects_the_component(uniform, component):
    noise = {"noise": np.zeros((1, 2), np.float32), "component": np.array([[uniform]], np.float32)}
    samples = sample_mixture(noise, tf.constant([0.25, 0.5, 0.25]), tf.constant(LOC), tf.constant(SCALE))
    np.testing.assert_array_equal(samples[0], LOC[component])


def test_one_component():
    layer = MixturePrior(2, 1)
    samples = layer.transform(draw_noise(layer.noise, 4, 0))
    assert samples.shape == (4, 2) and np.isfinite(samples).all()


def test_initial_components_differ_and_follow_the_seed():
    layers = [MixturePrior(2, 3, seed=seed) for seed in (0, 0, 1)]
    locations = [np.asarray(layer.loc) for layer in layers]
    assert np.ptp(locations[0], axis=0).min() > 0.01
    np.testing.assert_array_equal(locations[0], locations[1])
    assert (locations[0] != locations[2]).any()


def test_config():
    layer = MixturePrior(2, 3, spread=2.0, seed=4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.size, again.components, again.spread, again.seed) == (2, 3, 2.0, 4)


@pytest.mark.parametrize("size, components", [(0, 3), (2, 0)])
def test_errors(size, components):
    with pytest.raises(ValueError, match="Expected size and components >= 1"):
        MixturePrior(size, components)
