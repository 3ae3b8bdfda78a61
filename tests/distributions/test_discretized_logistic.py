"""The logistic over 256 levels, against scipy's distribution function in float64."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from keras_gen.distributions import DiscretizedLogistic, bits_per_dimension

LEVELS = np.arange(256) / 255
# locations inside, at an end and outside; scales from wide to much narrower than a level (1 / 255 = .004)
LOC = [0.5, 0.2137, 0.0, 1.0, -0.5, 1.3]
SCALE = [0.5, 0.05, 0.004, 0.001]


def exact_masses(loc: float, scale: float) -> np.ndarray:
    """Returns differences of the distribution function, or of the survival function near 1."""
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 255, [np.inf]])
    below, above = stats.logistic.cdf(edges, loc, scale), stats.logistic.sf(edges, loc, scale)
    return np.where(edges[1:] < loc, np.diff(below), -np.diff(above))


@pytest.mark.parametrize("scale", SCALE)
@pytest.mark.parametrize("loc", LOC)
def test_masses(loc, scale):
    log_masses = DiscretizedLogistic(tf.constant(loc), tf.constant(scale)).log_prob(LEVELS.astype(np.float32)).numpy()
    assert np.isfinite(log_masses).all()
    # float32: an argument of size |x - loc| / scale is off by 6e-8 of itself, so the log is off by that much
    tolerance = 1e-4 + 3e-7 * np.abs(LEVELS - loc) / scale
    exact = exact_masses(loc, scale)
    representable = exact > 1e-290  # smaller masses underflow in float64
    assert (
        np.abs(log_masses - np.log(np.where(representable, exact, 1)))[representable] < tolerance[representable]
    ).all()
    assert np.exp(log_masses.astype(np.float64)).sum() == pytest.approx(1.0, abs=1e-4 + 3e-7 * tolerance.max() / scale)


def test_far_tails_equal_those_of_the_logistic():
    # 100 scales below an inner level: log mass = -(100 - half a level) + log(1 - exp(-width)), by hand
    scale = 0.005
    log_masses = DiscretizedLogistic(0.0, scale).log_prob(np.float32(127 / 255))
    lower, width = (126.5 / 255) / scale, 1 / 255 / scale
    assert float(log_masses) == pytest.approx(-lower + math.log1p(-math.exp(-width)), abs=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1e-2, 10.0, 1e4])
@pytest.mark.parametrize("loc", [-1e3, -1.0, 0.5, 2.0, 1e3])
def test_extremes_are_finite_with_finite_gradients(loc, scale):
    loc, scale = tf.constant(loc), tf.constant(scale)
    with tf.GradientTape() as tape:
        tape.watch([loc, scale])
        total = tf.reduce_sum(DiscretizedLogistic(loc, scale).log_prob(LEVELS.astype(np.float32)))
    gradients = tape.gradient(total, [loc, scale])
    assert np.isfinite(total) and np.isfinite(gradients).all()


def test_gradient_points_to_the_data():
    loc = tf.constant(5.0)
    with tf.GradientTape() as tape:
        tape.watch(loc)
        value = DiscretizedLogistic(loc, 1e-3).log_prob(np.float32(100 / 255))
    # 4.6 / .001 scales away, a difference of rounded sigmoids is 0, but the log mass must still fall by 1 / scale
    assert float(tape.gradient(value, loc)) == pytest.approx(-1000.0, rel=1e-3)


def test_samples_are_levels_with_the_frequencies_of_the_masses():
    loc, scale, num = 0.3, 0.08, 20_000
    samples = DiscretizedLogistic(tf.constant([loc, 0.9]), scale * tf.ones([2])).sample(num, seed=(1, 2)).numpy()
    assert samples.shape == (num, 2)
    indices = samples * 255
    np.testing.assert_allclose(indices, np.round(indices), atol=1e-4)  # k / 255 in float32
    for column, center in enumerate((loc, 0.9)):
        mass = exact_masses(center, scale)
        mean = (mass * LEVELS).sum()
        stddev = math.sqrt((mass * (LEVELS - mean) ** 2).sum())
        assert abs(samples[:, column].mean() - mean) < 4.5 * stddev / math.sqrt(num)  # standard errors
        counts = np.bincount(np.round(indices[:, column]).astype(int), minlength=256)
        assert abs(counts[255] / num - mass[255]) < 4.5 * math.sqrt(mass[255] / num) + 1e-9


def test_shapes_and_tfp_wrappers():
    component = DiscretizedLogistic(tf.fill([4, 3], 0.4), tf.fill([4, 3], 0.1))
    assert component.batch_shape == [4, 3] and component.event_shape == []
    image = tfp.distributions.Independent(component, 1)
    assert image.log_prob(tf.zeros([5, 4, 3])).shape == [5, 4]


def test_bits_per_dimension():
    # 256 equally likely levels cost 8 bits
    assert bits_per_dimension(12 * math.log(256), 12) == pytest.approx(8.0)
