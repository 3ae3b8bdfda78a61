"""Posteriors: an encoder's output as a distribution, and samples with the right moments."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import posteriors

SIZE = 2
NAMES = ["diagonal_normal", "full_covariance_normal"]


def parameters(name: str, batch: int = 3) -> tf.Tensor:
    return tf.random.stateless_normal([batch, posteriors.get(name).outputs(SIZE)], [3, 4])


def covariance_of(q) -> np.ndarray:
    return np.array(tf.linalg.diag(q.variance()) if hasattr(q, "reinterpreted_batch_ndims") else q.covariance())


def test_outputs():
    assert posteriors.get("diagonal_normal").outputs(5) == 10
    assert posteriors.get("full_covariance_normal").outputs(5) == 5 + 15  # mean and lower triangle
    assert [posteriors.get(name).factorizes for name in NAMES] == [True, False]


@pytest.mark.parametrize("name", NAMES)
def test_zero_outputs_give_the_standard_normal(name):
    family = posteriors.get(name)
    q = family.distribution(tf.zeros([1, family.outputs(SIZE)]), SIZE)
    np.testing.assert_allclose(q.mean(), np.zeros((1, SIZE)))
    # 1e-4 of floor, and softplus(.5413) is 1 to 4 digits
    np.testing.assert_allclose(covariance_of(q), np.eye(SIZE)[None], atol=4e-4)


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_moments_of_the_distribution(name):
    family, num = posteriors.get(name), 40_000
    q = family.distribution(parameters(name), SIZE)
    noise = np.random.default_rng(0).standard_normal((num, 3, SIZE)).astype(np.float32)
    samples = family.reparameterize(q, tf.constant(noise)).numpy()
    covariance = covariance_of(q)
    stddev = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    # standard error of a mean is stddev / sqrt(num), of a variance stddev^2 sqrt(2 / num); 4.5 of each
    assert (np.abs(samples.mean(0) - q.mean()) < 4.5 * stddev / np.sqrt(num)).all()
    centered = samples - q.mean().numpy()
    empirical = np.einsum("nbi,nbj->bij", centered, centered) / num
    scale = stddev[:, :, None] * stddev[:, None, :]
    assert (np.abs(empirical - covariance) < 4.5 * scale * np.sqrt(2 / num)).all()
    if name == "full_covariance_normal":
        assert (np.abs(covariance[:, 0, 1]) > 10 * scale[:, 0, 1] * np.sqrt(2 / num)).any()  # it is not diagonal


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_differentiable_in_the_parameters(name):
    family, raw = posteriors.get(name), parameters(name)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        z = family.reparameterize(family.distribution(raw, SIZE), tf.ones([3, SIZE]))
        loss = tf.reduce_sum(tf.square(z))
    gradient = tape.gradient(loss, raw).numpy()
    assert np.isfinite(gradient).all() and (gradient != 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_scale_floor(name):
    family = posteriors.get(name)
    raw = tf.fill([1, family.outputs(SIZE)], -1e4)
    q = family.distribution(tf.concat([tf.zeros([1, SIZE]), raw[:, SIZE:]], 1), SIZE)
    if name == "diagonal_normal":
        np.testing.assert_allclose(q.stddev(), [[1e-4] * SIZE], rtol=1e-4)
    else:
        np.testing.assert_allclose(tf.linalg.diag_part(q.scale.to_dense()), [[1e-4] * SIZE], rtol=1e-4)
    assert np.isfinite(q.log_prob(tf.zeros([1, SIZE]))).all()


def test_unknown_name():
    with pytest.raises(
        ValueError, match="Expected posterior as one of diagonal_normal, full_covariance_normal; received 'normal'"
    ):
        posteriors.get("normal")


@pytest.mark.parametrize("name", NAMES)
def test_stddev_equals_that_of_the_distribution(name):
    """The exported formula, without the operations TFLite lacks, against TensorFlow Probability's own."""
    family = posteriors.get(name)
    output = np.random.default_rng(3).normal(size=(6, family.outputs(5))).astype(np.float32)
    expected = family.distribution(output, 5).stddev()
    np.testing.assert_allclose(family.stddev(output, 5), expected, rtol=1e-5)
