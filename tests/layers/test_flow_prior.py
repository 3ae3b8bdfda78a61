"""The flow prior against its own Jacobian, and against a density that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.distributions import draw_noise
from keras_gen.layers import FlowPrior


def random_flow(size: int = 3) -> FlowPrior:
    """Returns a flow whose weights are far from their initial values."""
    layer, generator = FlowPrior(size, couplings=3, hidden=8, seed=1), np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(generator.normal(0, 0.7, weight.shape).astype(np.float32))
    return layer


@pytest.mark.parametrize("size", [2, 5])
def test_is_initially_the_standard_normal(size):
    layer = FlowPrior(size)
    z = np.random.default_rng(0).normal(0, 2, (20, size)).astype(np.float32)
    np.testing.assert_allclose(layer.distribution().log_prob(z), stats.norm.logpdf(z).sum(1), rtol=1e-5)
    samples = layer.transform({"noise": z})
    np.testing.assert_allclose(np.sort(samples, axis=1), np.sort(z, axis=1), rtol=1e-6)


@pytest.mark.parametrize("size", [2, 3, 6])
def test_log_density_agrees_with_the_jacobian_of_sampling(size):
    layer = random_flow(size)
    noise = tf.constant(np.random.default_rng(2).normal(size=(10, size)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(noise)
        samples = layer.transform({"noise": noise})
    jacobian = tape.batch_jacobian(samples, noise).numpy().astype(np.float64)
    expected = stats.norm.logpdf(noise).sum(1) - np.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(layer.distribution().log_prob(samples), expected, rtol=1e-3, atol=1e-3)
    # every dimension is transformed, not only permuted
    assert np.abs(np.sort(samples, axis=1) - np.sort(noise, axis=1)).max(axis=0).min() > 0.01


def test_learns_a_density_that_is_not_normal():
    # x ~ N(0, 1), y ~ N(x^2, .5^2): entropy 2.8379 + log .5 = 2.1447; the best diagonal normal is .5 log(1 + 2 / .25)
    # = 1.0986 above it
    x, e = np.random.default_rng(0).normal(size=(2, 4096)).astype(np.float32)
    z = np.stack([x, x**2 + 0.5 * e], axis=1)
    layer, optimizer = FlowPrior(2, couplings=4, hidden=32), keras.optimizers.Adam(0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(layer.distribution().log_prob(z))
        optimizer.apply(tape.gradient(loss, layer.trainable_weights), layer.trainable_weights)
        return loss

    optimizer.build(layer.trainable_weights)
    losses = [float(step()) for _ in range(200)]
    entropy = np.log(2 * np.pi * np.e) + np.log(0.5)
    assert entropy - 0.05 < losses[-1] < entropy + 0.3
    assert losses[0] > entropy + 1


def test_seed_determines_samples_and_initial_weights():
    layers = [FlowPrior(4, couplings=2, hidden=8, seed=seed) for seed in (0, 0, 1)]
    first = [np.asarray(layer.trainable_weights[0]) for layer in layers]
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != first[2]).any()
    noise = draw_noise(layers[0].noise, 5, 3)
    np.testing.assert_array_equal(layers[0].transform(noise), layers[1].sampler()(noise))


def test_config_and_weights_round_trip():
    layer = random_flow()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.size, again.couplings, again.hidden, again.seed) == (3, 3, 8, 1)
    again.set_weights(layer.get_weights())
    noise = draw_noise(layer.noise, 5, 0)
    np.testing.assert_array_equal(again.transform(noise), layer.transform(noise))


@pytest.mark.parametrize("options", [{"size": 1}, {"size": 4, "couplings": 0}, {"size": 4, "hidden": 0}])
def test_errors(options):
    with pytest.raises(ValueError, match="Expected size >= 2"):
        FlowPrior(**options)
