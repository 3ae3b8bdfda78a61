"""Spectral normalization against singular values in numpy and finite differences of the normalized kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_gen.export.convert import convert
from keras_gen.export.flatbuffer import operations
from keras_gen.export.saved_model import write_saved_model
from keras_gen.layers import SpectralConv2D, SpectralConv2DTranspose, SpectralDense
from keras_gen.models.core.endpoint import Endpoint, Port

from ..replicas import two_replicas

RANDOM = np.random.default_rng(0)
KINDS = ["dense", "conv", "transpose"]


def layer_of(kind: str, plain: bool = False, **options):
    """Returns a small built layer with random kernel and bias, and a batch of inputs."""
    dense, conv, transpose = (
        (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)
        if plain
        else (SpectralDense, SpectralConv2D, SpectralConv2DTranspose)
    )
    layer = {
        "dense": lambda: dense(4, **options),
        "conv": lambda: conv(4, 3, strides=2, padding="same", **options),
        "transpose": lambda: transpose(4, 3, strides=2, padding="same", **options),
    }[kind]()
    shape = (2, 5) if kind == "dense" else (2, 6, 6, 3)
    layer.build(shape)
    generator = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(generator.normal(0, 1, variable.shape))
    return layer, generator.normal(0, 1, shape).astype(np.float32)


def stored_kernel(layer) -> np.ndarray:
    (kernel,) = (variable for variable in layer.trainable_variables if variable.name == "kernel")
    return np.asarray(kernel)


def matrix_of(kind: str, kernel: np.ndarray) -> np.ndarray:
    """Returns one row per input, one column per output channel."""
    return (np.swapaxes(kernel, 2, 3) if kind == "transpose" else kernel).reshape(-1, 4)


def norm_of(kind: str, kernel: np.ndarray) -> float:
    return np.linalg.svd(matrix_of(kind, kernel), compute_uv=False)[0]


def converged(kind: str, **options):
    layer, inputs = layer_of(kind, power_iterations=100, **options)
    layer(inputs, training=True)
    return layer, inputs


@pytest.mark.parametrize("kind", KINDS)
def test_sigma_and_the_normalized_layer(kind):
    layer, inputs = converged(kind)
    kernel = stored_kernel(layer)
    norm = norm_of(kind, kernel)
    np.testing.assert_allclose(layer.sigma(), norm, rtol=1e-5)
    np.testing.assert_allclose(norm_of(kind, np.asarray(layer.kernel)), 1, rtol=1e-5)
    plain, _ = layer_of(kind, plain=True)
    plain.set_weights([kernel / norm, np.asarray(layer.bias)])
    np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-4, atol=1e-5)


def test_one_step_of_the_power_iteration():
    layer, inputs = layer_of("dense")
    matrix, u = stored_kernel(layer).T, np.asarray(layer.singular_vector)  # the paper's W [outputs, inputs]
    np.testing.assert_allclose(np.linalg.norm(u), 1, rtol=1e-6)
    layer(inputs)
    layer(inputs, training=False)
    np.testing.assert_array_equal(layer.singular_vector, u)
    layer(inputs, training=True)
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    np.testing.assert_allclose(layer.singular_vector, u, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.sigma(), np.linalg.norm(matrix.T @ u), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_includes_sigma(kind):
    layer, _ = converged(kind)
    kernel = stored_kernel(layer).astype(np.float64)
    weights = RANDOM.normal(size=kernel.shape)
    (variable,) = (variable for variable in layer.trainable_variables if variable.name == "kernel")
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer.kernel * weights.astype(np.float32))
    gradient = np.asarray(tape.gradient(value, variable.value))

    def normalized(kernel: np.ndarray) -> float:
        return (weights * kernel).sum() / norm_of(kind, kernel)

    step = 1e-5
    for index in RANDOM.choice(kernel.size, 12, replace=False):
        change = np.zeros(kernel.size)
        change[index] = step
        change = change.reshape(kernel.shape)
        expected = (normalized(kernel + change) - normalized(kernel - change)) / (2 * step)
        np.testing.assert_allclose(gradient.flat[index], expected, rtol=1e-3, atol=1e-4)  # float32
    # scaling the kernel does not change the normalized kernel
    np.testing.assert_allclose((gradient * kernel).sum(), 0, atol=1e-4)
    assert np.abs(gradient).max() > 0.01


def test_second_order_gradient():
    """The input gradient is penalized and differentiated with respect to the kernel, as in gradient penalties."""
    layer, inputs = converged("dense")
    with tf.GradientTape() as outer:
        points = tf.constant(inputs)
        with tf.GradientTape() as inner:
            inner.watch(points)
            total = tf.reduce_sum(layer(points))
        penalty = tf.reduce_sum(inner.gradient(total, points) ** 2) / len(inputs)
    kernel = stored_kernel(layer).astype(np.float64)

    def expected(kernel: np.ndarray) -> float:
        return ((kernel.sum(1) / norm_of("dense", kernel)) ** 2).sum()

    np.testing.assert_allclose(penalty, expected(kernel), rtol=1e-5)
    gradient = np.asarray(outer.gradient(penalty, layer.trainable_variables[0].value))
    change = np.zeros_like(kernel)
    change[1, 2] = 1e-5
    slope = (expected(kernel + change) - expected(kernel - change)) / 2e-5
    np.testing.assert_allclose(gradient[1, 2], slope, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_kernel(kind):
    layer, inputs = layer_of(kind, use_bias=False)
    layer.trainable_variables[0].assign(np.zeros(stored_kernel(layer).shape))
    before = np.asarray(layer.singular_vector)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        total = tf.reduce_sum(outputs)
    assert (outputs.numpy() == 0).all()
    assert np.isfinite(tape.gradient(total, layer.trainable_variables[0].value)).all()
    np.testing.assert_array_equal(layer.singular_vector, before)  # the power iteration can still start from it


@pytest.mark.parametrize("kind", KINDS)
def test_mixed_precision_computes_sigma_in_float32(kind):
    layer, inputs = converged(kind, dtype="mixed_bfloat16")
    # bfloat16 has 8 bits of mantissa: sigma of a rounded kernel would have an error of about 1e-3
    np.testing.assert_allclose(layer.sigma(), norm_of(kind, stored_kernel(layer)), rtol=1e-5)
    sigmas = []
    layer.activation = lambda x: sigmas.append(layer.sigma()) or x
    layer(inputs)  # and the same under Keras's autocast
    np.testing.assert_allclose(sigmas, norm_of(kind, stored_kernel(layer)), rtol=1e-5)
    assert layer.kernel.dtype == tf.bfloat16 and layer.singular_vector.dtype == "float32"


def network(**options) -> keras.Model:
    image = keras.Input((6, 6, 3))
    x = SpectralConv2D(4, 3, strides=2, padding="same", activation="leaky_relu", **options)(image)
    x = SpectralConv2DTranspose(2, 3, strides=2, padding="same", **options)(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, SpectralDense(3, power_iterations=2, **options)(x))


def test_saving(tmp_path):
    model, inputs = network(), RANDOM.random((2, 6, 6, 3), np.float32)
    model(inputs, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for variable, loaded in zip(model.variables, again.variables, strict=True):
        np.testing.assert_array_equal(loaded, variable)
    np.testing.assert_array_equal(model(inputs, training=True), again(inputs, training=True))
    assert again.layers[-1].power_iterations == 2 and again.layers[1].power_iterations == 1
    assert len(model.trainable_variables) == 6 and len(model.non_trainable_variables) == 3


def test_two_replicas_have_the_same_state():
    def step(model: keras.Model, inputs: tf.Tensor):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(inputs, training=True))
        return tape.gradient(total, model.trainable_variables)

    inputs = RANDOM.random((2, 6, 6, 3), np.float32)
    one_device = network()
    strategy = two_replicas()
    with strategy.scope():
        model = network()
    model.set_weights(one_device.get_weights())
    before = np.asarray(one_device.non_trainable_variables[0])
    step(one_device, inputs)
    assert np.abs(before - one_device.non_trainable_variables[0]).max() > 1e-3
    tf.function(lambda: strategy.run(step, args=(model, tf.constant(inputs))))()
    for variable, expected in zip(model.non_trainable_variables, one_device.non_trainable_variables, strict=True):
        for copy in variable.value.values:
            np.testing.assert_allclose(copy, expected, atol=1e-6)


def test_tflite(tmp_path):
    model, inputs = network(), RANDOM.random((1, 6, 6, 3), np.float32)
    model(inputs, training=True)
    ports = {"image": Port((6, 6, 3), "image")}, {"logits": Port((3,), "value")}
    endpoint = Endpoint("discriminate", lambda image: {"logits": model(image, training=False)}, *ports)
    write_saved_model([endpoint], tmp_path / "saved", batch=1)
    content = convert(str(tmp_path / "saved"), ["discriminate"], "float32")
    outputs = Interpreter(model_content=content).get_signature_runner("discriminate")(image=inputs)["logits"]
    np.testing.assert_allclose(outputs, model(inputs), atol=1e-6)
    # sigma is folded into the weights: the device does not compute it
    assert set(operations(content)["discriminate"]) == {
        "CONV_2D", "FULLY_CONNECTED", "LEAKY_RELU", "RESHAPE", "TRANSPOSE_CONV"
    }  # fmt: skip


@pytest.mark.parametrize("iterations", [0, 1.5])
def test_errors(iterations):
    with pytest.raises(ValueError, match="Expected power_iterations as an integer >= 1"):
        SpectralDense(2, power_iterations=iterations)
    with pytest.raises(AttributeError, match="build the layer"):
        _ = SpectralDense(2).kernel
