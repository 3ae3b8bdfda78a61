"""Gradient penalties of critics whose gradient is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import gradient_penalty

RANDOM = np.random.default_rng(0)


def linear(weights):
    return lambda x: tf.reduce_sum(x * weights, axis=list(range(1, x.shape.rank)))


def quadratic(x):
    """Returns ||x||^2 / 2, whose gradient is x."""
    return tf.reduce_sum(tf.square(x), axis=list(range(1, x.shape.rank))) / 2


def uniform(*shape) -> np.ndarray:
    return RANDOM.random(shape, np.float32)


def test_wgan_gp_of_a_linear_critic():
    weights = tf.constant([3.0, 4.0])
    value = gradient_penalty.wgan_gp(linear(weights), uniform(5, 2), uniform(5, 2), uniform(5))
    np.testing.assert_array_equal(value, [16.0] * 5)  # (5 - 1)^2


@pytest.mark.parametrize("shape", [(2,), (3, 1, 1, 1), (1, 1)])
def test_alpha_interpolates_from_generated_to_real(shape):
    batch = shape[0] if len(shape) < 3 else 3
    if shape == (2,):
        real, generated, alpha = [[3.0, 4.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 8.0]], [1.0, 0.5]
        expected = [16.0, (np.hypot(1.5, 6) - 1) ** 2]
    elif batch == 3:  # images 1x2 of one channel
        real, generated = [[[[3.0], [4.0]]]] * 3, [[[[0.0], [0.0]]]] * 3
        alpha, expected = np.reshape([1.0, 0.5, 0.25], shape), [16.0, 2.25, 0.0625]
    else:
        real, generated, alpha, expected = [[3.0, 4.0]], [[0.0, 0.0]], [[0.5]], [2.25]
    value = gradient_penalty.wgan_gp(quadratic, tf.constant(real), tf.constant(generated), alpha)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["wgan_gp", "dragan"])
def test_penalty_of_a_zero_gradient_has_a_finite_gradient(name):
    weights, zeros = tf.Variable([[0.5]]), tf.zeros([3, 2])
    with tf.GradientTape() as tape:
        critic = lambda x: weights[0, 0] * quadratic(x)  # noqa: E731  no gradient at x = 0
        if name == "wgan_gp":
            value = gradient_penalty.wgan_gp(critic, zeros, zeros, uniform(3))
        else:
            value = gradient_penalty.dragan(critic, zeros, zeros, 1.0, uniform(3))
        total = tf.reduce_sum(value)
    np.testing.assert_allclose(value, [1.0] * 3, rtol=1e-5)  # (1e-6 - 1)^2: the floor
    np.testing.assert_array_equal(tape.gradient(total, weights), [[0.0]])


def test_r1_and_r2_of_a_quadratic():
    matrix = np.array([[2.0, 1.0], [1.0, -3.0]], np.float32)  # C(x) = x^T A x / 2, gradient A x
    critic = lambda x: tf.reduce_sum(x * tf.linalg.matvec(matrix, x), axis=1) / 2  # noqa: E731
    points = tf.constant([[1.0, 0.0], [1.0, 2.0], [0.0, 0.0]])
    expected = [5.0, 16.0 + 25.0, 0.0]  # the squared norm without gamma / 2
    np.testing.assert_allclose(gradient_penalty.r1(critic, points), expected)
    np.testing.assert_allclose(gradient_penalty.r2(critic, points), expected)


def test_dragan():
    real, noise = tf.constant([[3.0, 0.0], [3.0, 0.0]]), tf.constant([[0.0, 2.0], [0.0, 2.0]])
    value = gradient_penalty.dragan(quadratic, real, noise, stddev=4.0, alpha=tf.constant([1.0, 0.0]))
    # x = (3, 1 * 0.5 * 4 * 2) and (3, 0)
    np.testing.assert_allclose(value, [(5 - 1) ** 2, (3 - 1) ** 2])
    wide = gradient_penalty.dragan(quadratic, real, noise, 4.0, tf.constant([[0.5], [0.5]]), scale=1.0)
    np.testing.assert_allclose(wide, [16.0, 16.0])


def network(weights: np.ndarray, out: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Returns the gradient of out . tanh(W x) with respect to x, in float64."""
    slope = 1 - np.tanh(x @ weights.T) ** 2
    return (slope * out) @ weights


@pytest.mark.parametrize("name", ["wgan_gp", "r1"])
def test_second_order_gradient_against_finite_differences(name):
    weights, out = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=4)
    real, generated, alpha = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 3)), RANDOM.random(5)

    def penalty(weights: np.ndarray) -> float:
        if name == "r1":
            return (network(weights, out, real) ** 2).sum(1).mean()
        point = alpha[:, None] * real + (1 - alpha[:, None]) * generated
        return ((np.linalg.norm(network(weights, out, point), axis=1) - 1) ** 2).mean()

    expected, step = np.empty_like(weights), 1e-5
    for index in np.ndindex(weights.shape):
        change = np.zeros_like(weights)
        change[index] = step
        expected[index] = (penalty(weights + change) - penalty(weights - change)) / (2 * step)

    variable = tf.Variable(weights, dtype=tf.float32)
    critic = lambda x: tf.linalg.matvec(  # noqa: E731
        tf.tanh(tf.matmul(x, variable, transpose_b=True)), tf.constant(out, tf.float32)
    )

    @tf.function(input_signature=[tf.TensorSpec([None, 3])] * 2 + [tf.TensorSpec([None])])
    def compiled(real, generated, alpha):
        with tf.GradientTape() as tape:
            if name == "r1":
                value = gradient_penalty.r1(critic, real)
            else:
                value = gradient_penalty.wgan_gp(critic, real, generated, alpha)
            mean = tf.reduce_mean(value)
        return mean, tape.gradient(mean, variable)

    value, gradient = compiled(*(tf.constant(array, tf.float32) for array in (real, generated, alpha)))
    np.testing.assert_allclose(value, penalty(weights), rtol=1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)  # float32 against float64


def test_penalties_are_per_example():
    real, other = uniform(3, 2, 2, 1), uniform(3, 2, 2, 1)
    mixed = np.concatenate([real[:1], other[1:]])
    assert gradient_penalty.r1(quadratic, real)[0] == gradient_penalty.r1(quadratic, mixed)[0]
    assert gradient_penalty.r1(quadratic, real)[1] != gradient_penalty.r1(quadratic, mixed)[1]


def test_a_conditional_critic():
    label = tf.constant([[1.0, 0.0], [0.0, 2.0]])
    value = gradient_penalty.r1(lambda x: tf.reduce_sum(x * label, axis=1), tf.ones([2, 2]))
    np.testing.assert_array_equal(value, [1.0, 4.0])


def test_no_gradient_reaches_the_generator():
    scale, weights = tf.Variable(2.0), tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        generated = scale * tf.ones([2, 2])
        value = gradient_penalty.r2(lambda x: tf.linalg.matvec(tf.square(x), weights), generated)
    to_generator, to_critic = tape.gradient(value, [scale, weights])
    assert to_generator is None
    np.testing.assert_allclose(to_critic, [2 * 2 * 16, 2 * 2 * 2 * 16])  # sum over rows of d (4 w)^2 / dw


def test_mixed_precision():
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16", kernel_initializer="ones")
    critic = lambda x: layer(x)[:, 0]  # noqa: E731
    with tf.GradientTape() as tape:
        value = gradient_penalty.r1(critic, tf.ones([2, 4], tf.bfloat16))
        total = tf.reduce_sum(value)
    assert value.dtype == tf.float32
    np.testing.assert_array_equal(value, [4.0, 4.0])
    np.testing.assert_array_equal(tape.gradient(total, layer.kernel), np.full([4, 1], 4.0))


def test_errors():
    critic, points = linear(tf.ones([2])), tf.zeros([3, 2])
    with pytest.raises(ValueError, match="real and generated of one shape"):
        gradient_penalty.wgan_gp(critic, points, tf.zeros([1, 2]), uniform(3))
    for alpha in (uniform(3, 2), uniform(1), np.float32(0.5)):
        with pytest.raises(ValueError, match="alpha with one number per example"):
            gradient_penalty.wgan_gp(critic, points, points, alpha)
    with pytest.raises(ValueError, match=r"return logits \[batch\]; received \(3, 1\)"):
        gradient_penalty.r1(lambda x: x[:, :1], points)
    with pytest.raises(ValueError, match="Expected logits that depend on the discriminator's input"):
        gradient_penalty.r1(lambda x: tf.zeros([3]), points)
    with pytest.raises(ValueError, match="rank 2 or more"):
        gradient_penalty.r2(critic, tf.zeros([3]))
    with pytest.raises(ValueError, match="stddev as a scalar"):
        gradient_penalty.dragan(critic, points, points, tf.ones([3]), uniform(3))
    with pytest.raises(ValueError, match="noise of the shape of real"):
        gradient_penalty.dragan(critic, points, tf.zeros([3, 1]), 1.0, uniform(3))
