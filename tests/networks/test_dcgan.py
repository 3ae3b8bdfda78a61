"""DCGAN's networks: the published sizes, the layers with normalization, ranges, labels, packing."""

import keras
import numpy as np
import pytest

from keras_gen import networks
from keras_gen.networks.normalization import apply_normalization

IMAGES = np.random.default_rng(0).random((3, 8, 8, 1)).astype(np.float32)


def kernels(model):
    return [weight.numpy() for weight in model.trainable_weights if weight.path.endswith("kernel")]


def test_weights_of_64x64():
    """By hand: 4x4 kernels, 64 base channels, no bias before normalization, a scale and a shift for each channel."""
    kernel = 16 * (64 * 128 + 128 * 256 + 256 * 512)
    scales = 2 * (128 + 256 + 512)
    generator = networks.dcgan_generator(100, (64, 64, 3))
    projected, last = 100 * 4 * 4 * 512, 16 * 64 * 3 + 3
    assert sum(w.numpy().size for w in generator.trainable_weights) == projected + kernel + last + scales + 2 * 64
    discriminator = networks.dcgan_discriminator((64, 64, 3))
    first, logit = 16 * 3 * 64 + 64, 4 * 4 * 512 + 1
    assert sum(w.numpy().size for w in discriminator.trainable_weights) == first + kernel + scales + logit
    for each in [*kernels(generator), *kernels(discriminator)]:
        # N(0, 0.02); the smallest kernel has 3,072 entries, so three standard errors are 4 %
        assert abs(each.std() / 0.02 - 1) < 0.04 and abs(each.mean()) < 3 * 0.02 / np.sqrt(each.size)
    middle = [w for w in kernels(discriminator) if w.shape == (4, 4, 64, 128)] + [
        w for w in kernels(generator) if w.shape == (4, 4, 64, 128)
    ]
    assert len(middle) == 2 and np.abs(middle[0] - middle[1]).max() > 0.01  # different numbers


@pytest.mark.parametrize("size, steps", [((28, 28), 2), ((32, 32), 3), ((32, 64), 3), ((128, 128), 5)], ids=str)
def test_depth_depends_on_the_size(size, steps):
    generator = networks.dcgan_generator(3, (*size, 3), base_filters=2)
    discriminator = networks.dcgan_discriminator((*size, 3), base_filters=2)
    assert generator.output_shape == (None, *size, 3) and discriminator.output_shape == (None, 1)
    down = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    up = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    filters = [2 * min(2**step, 8) for step in range(steps)]
    assert [layer.filters for layer in down] == filters
    assert [layer.filters for layer in up] == [*filters[:-1][::-1], 3]


def test_layers_with_normalization():
    for dense in (None, 6):
        discriminator = networks.dcgan_discriminator((32, 32, 1), base_filters=2, dense_units=dense)
        generator = networks.dcgan_generator(3, (32, 32, 1), base_filters=2, dense_units=dense)
        for model, count in ((discriminator, 2 + bool(dense)), (generator, 3 + bool(dense))):
            norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
            assert len(norms) == count and all(layer.synchronized for layer in norms)
        order = [type(layer).__name__ for layer in discriminator.layers]
        assert order[1:4] == ["Rescaling", "Conv2D", "LeakyReLU"]  # not on the input
        order = [type(layer).__name__ for layer in generator.layers]
        assert order[-3:] == ["ReLU", "Conv2DTranspose", "Rescaling"]  # not on the output


def test_ranges():
    generator = networks.dcgan_generator(4, (8, 8, 1), base_filters=2)
    last = generator.layers[-2]
    last.kernel.assign(100 * last.kernel)
    noise = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    images = generator(noise, training=True).numpy()
    assert 0 <= images.min() < 0.1 and 0.9 < images.max() <= 1
    last.kernel.assign(0 * last.kernel)
    np.testing.assert_array_equal(generator(noise), np.full((50, 8, 8, 1), 0.5))  # tanh(0) = 0 is gray
    discriminator = networks.dcgan_discriminator((8, 8, 1), base_filters=2)
    rescaled = keras.Model(discriminator.inputs[0], discriminator.layers[1].output)
    np.testing.assert_allclose(rescaled(IMAGES), 2 * IMAGES - 1, atol=1e-6)


@pytest.mark.parametrize("normalization, alone", [("batch", False), ("layer", True), ("none", True)])
def test_whether_a_logit_depends_on_the_rest_of_the_batch(normalization, alone):
    keras.utils.set_random_seed(0)
    model = networks.dcgan_discriminator((16, 16, 1), base_filters=4, normalization=normalization, dense_units=5)
    images = np.random.default_rng(0).random((3, 16, 16, 1)).astype(np.float32)
    with_second = model(images[[0, 1]], training=True)[0, 0]
    with_third = model(images[[0, 2]], training=True)[0, 0]
    scale = float(np.abs(model(images, training=True)).max())
    # float32 rounding is 1e-6 relative to the logits; batch statistics change them by percents
    assert (abs(float(with_second - with_third)) < 1e-4 * scale) == alone


def test_spectral_normalization_keeps_every_kernel_at_norm_one():
    model = networks.dcgan_discriminator(
        (16, 16, 1), base_filters=4, normalization="spectral", dense_units=5, num_classes=3
    )
    inputs = [np.zeros((2, 16, 16, 1), np.float32), np.eye(3, dtype=np.float32)[:2]]
    for _ in range(200):  # power iterations
        model(inputs, training=True)
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "sigma")]
    assert len(kernels) == 2 + 1 + 1 + 1  # convolutions, hidden layer, logit, labels
    for kernel in kernels:
        assert np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2) == pytest.approx(1, abs=1e-3)


def test_layer_normalization_is_over_all_features_of_an_image():
    x = keras.Input((4, 4, 3))
    model = keras.Model(x, apply_normalization(x, "layer"))
    image = np.random.default_rng(0).normal(5.0, 3.0, (2, 4, 4, 3)).astype(np.float32)
    mean, stddev = image.mean(axis=(1, 2, 3), keepdims=True), image.std(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(model(image), (image - mean) / stddev, atol=1e-4)


def test_a_label_changes_the_discriminators_features():
    keras.utils.set_random_seed(0)
    model = networks.dcgan_discriminator((8, 8, 1), base_filters=4, normalization="none", num_classes=3)
    one_hot = np.eye(3, dtype=np.float32)
    first, second = (model([IMAGES, np.repeat(one_hot[[k]], 3, axis=0)]).numpy()[:, 0] for k in (0, 1))
    difference = first - second
    assert np.std(difference) > 0.1 * np.abs(difference).mean()  # not a constant shift of all images
    # the projection, by hand: w . f + b + y . V f
    *_, features = [layer for layer in model.layers if isinstance(layer, keras.layers.Flatten)]
    f = keras.Model(model.inputs[0], features.output)(IMAGES).numpy()
    w, v = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    w, v = (w, v) if w.units == 1 else (v, w)
    expected = f @ w.kernel.numpy()[:, 0] + w.bias.numpy() + f @ v.kernel.numpy()[1]
    np.testing.assert_allclose(second, expected, rtol=1e-4, atol=1e-7)

    generator = networks.dcgan_generator(2, (8, 8, 1), base_filters=4, num_classes=3)
    images = generator([np.ones((2, 2), np.float32), one_hot[:2]]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-6


def test_packing_widens_the_input():
    model = networks.dcgan_discriminator((8, 8, 3), base_filters=2, packing=4, num_classes=5)
    assert [tuple(each.shape) for each in model.inputs] == [(None, 8, 8, 12), (None, 20)]
    assert model.output_shape == (None, 1)


def test_errors():
    with pytest.raises(
        ValueError, match="Expected normalization as one of batch, layer, spectral, none; received 'instance'"
    ):
        networks.dcgan_discriminator((16, 16, 1), base_filters=2, normalization="instance")
    for build in (lambda s: networks.dcgan_generator(3, s), networks.dcgan_discriminator):
        with pytest.raises(ValueError, match="halve to 4 or more"):
            build((27, 27, 1))
    with pytest.raises(ValueError, match="Expected packing as an integer >= 1"):
        networks.dcgan_discriminator((8, 8, 1), packing=0)
