"""The four ways to double the size: shapes, weights, their initial checkerboards, and the networks that use them."""

import keras
import numpy as np
import pytest

from keras_gen import networks, zoo
from keras_gen.evaluation.metrics.checkerboard import nyquist_share
from keras_gen.models.progan.networks import progressive_generator
from keras_gen.models.text2image.networks import text2image_generator
from keras_gen.networks.upsampling import UPSAMPLINGS, upsample

SHAPE = (16, 16, 3)
# kernel weights for each pair of channels, with a kernel of 4
WEIGHTS = {"transposed": 16, "resize": 9, "blur": 16, "subpixel": 4 * 9}
BUILDERS = {
    "dcgan": lambda upsampling: networks.dcgan_generator(3, SHAPE, base_filters=2, upsampling=upsampling),
    "decoder": lambda upsampling: networks.conv_decoder(3, SHAPE, base_filters=2, upsampling=upsampling),
    "text2image": lambda upsampling: text2image_generator(3, 4, SHAPE, base_filters=2, upsampling=upsampling),
    "modulated": lambda upsampling: text2image_generator(
        3, 4, SHAPE, base_filters=2, modulated=True, upsampling=upsampling
    ),
}


def layer(upsampling: str, **options) -> keras.Model:
    """Returns a network that doubles features of 5x6 pixels with 8 channels, and has 6 channels."""
    features = keras.Input((5, 6, 8))
    return keras.Model(features, upsample(features, 6, upsampling=upsampling, **options))


@pytest.mark.parametrize("equalized", [False, True], ids=["plain", "equalized"])
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_shape_and_weights(upsampling, equalized):
    model = layer(upsampling, equalized=equalized)
    assert model.output_shape == (None, 10, 12, 6)
    biases = 6 * (4 if upsampling == "subpixel" else 1)
    assert model.count_params() == 8 * 6 * WEIGHTS[upsampling] + biases
    assert layer(upsampling, equalized=equalized, use_bias=False, kernel=5).count_params() == 8 * 6 * 25 * (
        4 if upsampling == "subpixel" else 1
    )


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_equalized_layers_start_with_the_variance_of_their_inputs(upsampling):
    """Independent inputs of variance 1, gain 1: the mean square of the outputs is 1, before the blur."""
    keras.utils.set_random_seed(0)
    features = keras.Input((32, 32, 64))
    model = keras.Model(features, upsample(features, 64, upsampling=upsampling, equalized=True, gain=1.0))
    inputs = np.random.default_rng(0).normal(size=(4, 32, 32, 64)).astype(np.float32)
    outputs = np.asarray(model(inputs))[:, 4:-4, 4:-4]  # borders have fewer inputs
    # the squares of [1, 2, 1] / 4 add up to 6 / 16; neighbors before the blur have independent weights
    expected = (6 / 16) ** 2 if upsampling == "blur" else 1.0
    # a mean of 64 filters, each of 576 or more random weights: a standard error below 1 %
    assert np.mean(np.square(outputs)) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_initial_checkerboards(upsampling):
    """Constant features become constant images, except with strided transposed convolutions."""
    keras.utils.set_random_seed(0)
    features = keras.Input((8, 8, 8))
    model = keras.Model(features, upsample(features, 6, upsampling=upsampling, use_bias=False))
    constant = np.asarray(model(np.ones((1, 8, 8, 8), np.float32)))[:, 4:-4, 4:-4]  # without borders
    share = nyquist_share(constant) if np.ptp(constant, axis=(1, 2)).max() > 1e-5 else 0.0
    assert (share > 0.9) == (upsampling == "transposed")


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("name", BUILDERS)
def test_networks(name, upsampling, tmp_path):
    model = BUILDERS[name](upsampling)
    assert model.output_shape == (None, *SHAPE)
    for weight in model.weights:
        weight.assign(weight + 0.1)
    model.save(tmp_path / "model.keras")
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=(2, *each.shape[1:])).astype(np.float32) for each in model.inputs]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(inputs), model(inputs))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_mixed_precision(upsampling):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = BUILDERS["dcgan"](upsampling)
    finally:
        keras.config.set_dtype_policy(policy)
    outputs = model(np.ones((2, 3), np.float32), training=True)
    assert outputs.dtype == "float32" and np.all(np.isfinite(outputs))
    first = next(each for each in model.layers if each.name.startswith("re_lu") and len(each.output.shape) == 4)
    assert first.compute_dtype == "bfloat16"


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_progressive_generator(upsampling):
    options = {"base_filters": 4, "full_width_resolution": 8, "upsampling": upsampling}
    generator = progressive_generator(3, SHAPE, **options)
    z = np.ones((2, 3), np.float32)
    assert [generator(z, stage=stage).shape[1:] for stage in range(3)] == [(4, 4, 3), (8, 8, 3), SHAPE]
    copy = type(generator).from_config(generator.get_config())
    assert [v.shape for v in copy.variables] == [v.shape for v in generator.variables]


@pytest.mark.parametrize("key", ["dcgan", "vae", "aae", "autoencoder", "infogan", "progan"])
def test_systems_have_the_setting(key):
    models = {up: zoo.build(key, SHAPE, upsampling=up, base_filters=2) for up in ("transposed", "resize")}
    assert models["resize"].count_params() < models["transposed"].count_params()
    with pytest.raises(ValueError, match="Expected upsampling as one of transposed, resize, blur, subpixel; received"):
        zoo.build(key, SHAPE, upsampling="nearest", base_filters=2)


@pytest.mark.parametrize("key", ["gan", "vae", "aae", "autoencoder"])
def test_dense_networks_refuse_the_setting(key):
    with pytest.raises(ValueError, match="no upsampling with network='mlp'.*; received upsampling='resize'"):
        zoo.build(key, SHAPE, network="mlp", upsampling="resize")
