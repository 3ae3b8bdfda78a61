"""Patch discriminators, the U-Net and resized networks: published sizes, receptive fields, shapes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks
from keras_gen.models.cyclegan.networks import patch_discriminator, receptive_field, resized


def weights_of(model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "side, num_downsamples, seen", [(28, 1, 16), (64, 1, 16), (128, 2, 34), (256, 3, 70), (512, 3, 70)]
)
def test_number_of_patches_depends_on_the_image_size(side, num_downsamples, seen):
    assert receptive_field(num_downsamples) == seen
    model = patch_discriminator((side, side, 1), base_filters=2)
    strides = [layer.strides[0] for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert strides == [2] * num_downsamples + [1, 1]
    assert model.output_shape == (None, side >> num_downsamples, side >> num_downsamples, 1)


def test_weights_of_70x70_patches():
    """By hand: 4x4 kernels of 64, 128, 256, 512 and 1 channels; only the first and the last layer have a bias."""
    model = patch_discriminator((256, 256, 3))
    kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1)
    assert weights_of(model) == kernels + 64 + 1 + 2 * (128 + 256 + 512)


def test_receptive_field_of_a_logit():
    """The gradient of a central logit, without instance normalization, which depends on the whole image."""
    model = patch_discriminator((64, 64, 1), base_filters=2, num_downsamples=2)
    plain = keras.Sequential([keras.Input((64, 64, 1))])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            plain.add(keras.layers.Conv2D(layer.filters, 4, layer.strides, padding="same", kernel_initializer="ones"))
    image = tf.zeros((1, 64, 64, 1))
    with tf.GradientTape() as tape:
        tape.watch(image)
        logit = plain(image)[0, 8, 8, 0]
    rows = np.flatnonzero(np.abs(tape.gradient(logit, image)[0, :, :, 0]).sum(axis=1))
    assert len(rows) == rows[-1] - rows[0] + 1 == receptive_field(2) == 34


def test_patch_discriminators_of_any_size():
    model = patch_discriminator((None, None, 3), base_filters=2, num_downsamples=1)
    assert model(np.zeros((1, 20, 36, 3), np.float32)).shape == (1, 10, 18, 1)
    with pytest.raises(ValueError, match="Expected num_downsamples for images of any size"):
        patch_discriminator((None, None, 3))
    with pytest.raises(ValueError, match="Expected images of 16 pixels or more, for 2x2 logits with num_downsamples=3"):
        patch_discriminator((8, 8, 3), num_downsamples=3)
    with pytest.raises(ValueError, match="Expected num_downsamples as an integer >= 1; received 0"):
        patch_discriminator((8, 8, 3), num_downsamples=0)


@pytest.mark.parametrize("shape, deepest", [((28, 28, 1), 7), ((32, 64, 3), 4), ((64, 64, 3), 4), ((48, 48, 1), 6)])
def test_u_net_halves_down_to_at_least_four_pixels(shape, deepest):
    model = networks.unet(shape, 2, base_filters=2)
    assert model.output_shape == (None, *shape[:2], 2)
    sizes = [layer.output.shape[1] for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert min(sizes) == deepest
    out = model(np.random.default_rng(0).random((2, *shape), np.float32)).numpy()
    assert out.min() >= 0 and out.max() <= 1


def test_number_of_weights_of_the_u_net():
    """By hand, 32x32 in color: down 3-64-128-256, up 256-128, (128+128)-64, (64+64)-3; no bias under a norm."""
    kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 128 + 256 * 64 + 128 * 3)
    assert weights_of(networks.unet((32, 32, 3))) == kernels + 64 + 3 + 2 * (128 + 256 + 128 + 64)


def test_mask_selects_the_pixels_that_change():
    keras.utils.set_random_seed(0)
    model = networks.unet((16, 16, 3), base_filters=4, masked=True)
    image = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
    change = model.get_layer("change")
    output, mask, step = keras.Model(model.input, [model.output, *change.input])(image)
    assert mask.shape == (2, 16, 16, 1) and 0 < np.min(mask) < np.max(mask) < 1
    colors = step + image
    assert np.min(colors) > 0 and np.max(colors) < 1
    np.testing.assert_allclose(output, mask * colors + (1 - mask) * image, atol=1e-6)
    last = [layer for layer in model.layers if layer.weights][-1]
    kernel, bias = last.get_weights()
    for value, expected in ((-200.0, image), (200.0, colors)):
        last.set_weights([kernel * [1, 1, 1, 0], bias + [0, 0, 0, value]])
        np.testing.assert_allclose(model(image), expected, atol=1e-6)
    with pytest.raises(ValueError, match="Expected channels=3 for masked=True; received channels=1"):
        networks.unet((16, 16, 3), 1, masked=True)


def test_colors_of_a_masked_u_net_begin_near_the_image():
    """sigmoid(4 x - 2) is off by at most 0.12, at black and white; a gray beginning is off by up to 0.5."""
    keras.utils.set_random_seed(0)
    model = networks.unet((16, 16, 3), base_filters=4, masked=True)
    image = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
    step = keras.Model(model.input, model.get_layer("change").input[1])(image)
    assert np.abs(step).max() < 0.2
    gray = np.full((1, 16, 16, 3), 0.5, np.float32)
    np.testing.assert_allclose(model(gray), gray, atol=0.05)


def test_a_u_net_of_any_size():
    model = networks.unet((None, None, 1), base_filters=2, num_downsamples=2)
    assert model(np.zeros((1, 12, 20, 1), np.float32)).shape == (1, 12, 20, 1)
    for shape, options in (((None, None, 1), {}), ((30, 30, 1), {"num_downsamples": 2}), ((7, 7, 1), {})):
        with pytest.raises(ValueError, match="Expected num_downsamples for|that are multiples"):
            networks.unet(shape, **options)


def test_resized_network():
    network = keras.Sequential([keras.Input((4, 6, 1)), keras.layers.ReLU()], name="same")
    assert resized(network, (4, 6)) is network
    model = resized(network, (2, 3))
    assert model.name == "same" and model.input_shape == (None, 2, 3, 1) and model.output_shape == (None, 4, 6, 1)
    # enlarged twice bilinearly: the center of four pixels is still their mean
    image = np.random.default_rng(0).random((1, 2, 3, 1), np.float32)
    assert model(image).numpy().mean() == pytest.approx(image.mean(), rel=0.2)
    np.testing.assert_allclose(model(np.full((1, 2, 3, 1), 0.25, np.float32)), np.full((1, 4, 6, 1), 0.25), rtol=1e-6)
