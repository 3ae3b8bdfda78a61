"""The Swiss roll prior: its curve, its segments, and its missing density."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.distributions import SwissRollPrior, draw_noise

CURVE = SwissRollPrior(turns=2.0, radius=3.0, jitter=0.0)


def position(z):
    """Returns the s of points on the curve without jitter: r = 3 sqrt(s)."""
    return (np.linalg.norm(z, axis=1) / 3.0) ** 2


def test_points_lie_on_the_spiral():
    noise = draw_noise(CURVE.noise, 500, seed=0)
    z = CURVE.transform(noise).numpy()
    np.testing.assert_allclose(position(z), noise["along"][:, 0], atol=1e-6)
    angle = 4 * np.pi * np.linalg.norm(z, axis=1) / 3.0
    np.testing.assert_allclose(np.cos(angle), z[:, 0] / np.linalg.norm(z, axis=1), atol=1e-4)


def test_samples_are_uniform_along_the_curve():
    """The length of an Archimedean spiral up to the angle a is (a sqrt(1 + a^2) + asinh a) / 2, times a constant."""
    s = np.linspace(0.1, 1, 10)
    a = 4 * np.pi * np.sqrt(s)
    length = a * np.sqrt(1 + a**2) + np.arcsinh(a)
    z = CURVE.transform({"noise": np.zeros((10, 2), np.float32), "along": s[:, None].astype(np.float32)}).numpy()
    np.testing.assert_allclose(position(z), length / length[-1], atol=0.015)  # .014 in the innermost turn


def test_a_label_selects_the_segment():
    noise = draw_noise(CURVE.noise, 4000, seed=0)
    for k in (0, 2):
        s = position(CURVE.transform(noise, label=tf.one_hot(tf.fill([4000], k), 5)).numpy())
        assert stats.kstest(s, stats.uniform(k / 5, 1 / 5).cdf).pvalue > 1e-3
    label = np.zeros((4000, 5), np.float32)
    label[::2, 4] = 1
    s = position(CURVE.transform(noise, label=label).numpy())
    assert s[::2].min() > 0.8 - 1e-5  # with a label: the last fifth
    np.testing.assert_allclose(s[1::2], noise["along"][1::2, 0], atol=1e-6)  # without a label: the whole roll


def test_jitter_is_the_distance_from_the_curve():
    noise = draw_noise(CURVE.noise, 4000, seed=0)
    offset = SwissRollPrior(jitter=0.3).transform(noise) - CURVE.transform(noise)
    np.testing.assert_allclose(offset, 0.3 * noise["noise"], atol=1e-5)


def test_no_density():
    with pytest.raises(ValueError, match="density in closed form.*a Prior, a MixturePrior or a PetalPrior"):
        SwissRollPrior().distribution()
    assert not SwissRollPrior.full_support  # a VAE rejects such priors


def test_serialization_and_errors():
    prior = SwissRollPrior(turns=3.0, radius=2.0, jitter=0.2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
    noise = draw_noise(prior.noise, 4, seed=0)
    np.testing.assert_array_equal(again.transform(noise), prior.sampler()(noise))
    for arguments in ({"turns": 0}, {"radius": -1}, {"jitter": -0.1}):
        with pytest.raises(ValueError, match="Expected turns and radius > 0 and jitter >= 0"):
            SwissRollPrior(**arguments)
