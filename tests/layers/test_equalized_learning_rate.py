"""Equalized layers against plain layers with the scaled kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import EqualizedConv2D, EqualizedConv2DTranspose, EqualizedDense

KINDS = {
    "dense": (EqualizedDense, keras.layers.Dense, (4,), (3, 5), 5),
    "conv": (EqualizedConv2D, keras.layers.Conv2D, (4, 3), (2, 6, 6, 3), 27),
    # with strides of 2, a quarter of the 4x4 weights reach a pixel
    "transposed": (EqualizedConv2DTranspose, keras.layers.Conv2DTranspose, (4, 4, 2), (2, 6, 6, 3), 12),
}


@pytest.fixture(params=KINDS)
def pair(request):
    """Returns an equalized layer, a plain layer with its scaled kernel, inputs, and the scale."""
    kind, plain, arguments, shape, inputs = KINDS[request.param]
    equalized, plain_layer = kind(*arguments, gain=1.5), plain(*arguments)
    for layer in (equalized, plain_layer):
        layer.build(shape)
    scale = 1.5 / inputs**0.5
    stored, bias = equalized.trainable_variables
    bias.assign(np.arange(4.0))
    plain_layer.set_weights([scale * np.asarray(stored), np.arange(4.0)])
    return equalized, plain_layer, np.random.default_rng(0).normal(size=shape).astype(np.float32), scale


def test_equals_a_plain_layer_with_a_scaled_kernel(pair):
    equalized, plain_layer, x, _ = pair
    np.testing.assert_allclose(equalized(x), plain_layer(x), atol=1e-5)


def test_gradient_of_the_stored_weight_is_scaled(pair):
    equalized, plain_layer, x, scale = pair
    gradients = []
    for layer in (equalized, plain_layer):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(x)))
        gradients.append(tape.gradient(loss, layer.trainable_variables)[0])
    np.testing.assert_allclose(gradients[0], scale * gradients[1], rtol=1e-4, atol=1e-4)


def test_initial_output_is_that_of_he_initialization():
    keras.utils.set_random_seed(0)
    layer = EqualizedDense(400)
    layer.build((1, 300))
    assert np.std(layer.trainable_variables[0]) == pytest.approx(1.0, rel=0.02)
    assert np.std(layer.kernel) == pytest.approx((2 / 300) ** 0.5, rel=0.02)


def test_stored_weight_is_saved(pair, tmp_path):
    equalized, _, x, _ = pair
    model = keras.Sequential([keras.Input(x.shape[1:]), equalized])
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(loaded(x), model(x))
    assert loaded.layers[0].gain == 1.5
