"""One transposed convolution against upsampling and a convolution with the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import EqualizedConv2D, EqualizedResizeConv2D, ResizeConv2D

FEATURES = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
KINDS = {"plain": (ResizeConv2D, keras.layers.Conv2D), "equalized": (EqualizedResizeConv2D, EqualizedConv2D)}


def pair(kind, kernel_size, **options):
    """Returns the layer, and a model of two layers with its weights."""
    resize, convolution = KINDS[kind]
    layer = resize(6, kernel_size, bias_initializer="random_normal", **options)
    two = keras.Sequential(
        [keras.Input((4, 5, 3)), keras.layers.UpSampling2D(2), convolution(6, kernel_size, padding="same", **options)]
    )
    layer.build((None, 4, 5, 3))
    two.set_weights(layer.get_weights())
    return layer, two


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_equals_upsampling_and_a_convolution(kind, kernel_size):
    layer, two = pair(kind, kernel_size, activation="tanh")
    results = []
    for function in (layer, two):
        with tf.GradientTape() as tape:
            outputs = function(FEATURES)
            loss = tf.reduce_sum(outputs**3)
        results.append((outputs, *tape.gradient(loss, function.trainable_variables)))
    for one, other in zip(*results, strict=True):
        # sums of 75 products in another order
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape((None, None, 5, 3)) == (None, None, 10, 6)


def test_an_initializer_receives_the_fans_of_the_convolution():
    layer = ResizeConv2D(8, 3, kernel_initializer="he_normal")
    layer.build((None, 4, 4, 64))
    assert np.std(layer.stored_kernel) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_saving(kind, tmp_path):
    layer, _ = pair(kind, 3, use_bias=True, activation="relu")
    model = keras.Sequential([keras.Input((4, 5, 3)), layer])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(FEATURES), model(FEATURES))


def test_mixed_precision():
    layer = ResizeConv2D(2, 3, dtype="mixed_bfloat16")
    outputs = layer(FEATURES)
    assert outputs.dtype == "bfloat16" and layer.stored_kernel.dtype == "float32"


@pytest.mark.parametrize("kernel_size", [0, 2, (3, 3)])
def test_errors(kernel_size):
    with pytest.raises(ValueError, match="Expected kernel_size as an odd integer >= 1"):
        ResizeConv2D(2, kernel_size)
