"""Settings of GAN and DCGAN that do not apply to the chosen network are refused."""

import keras
import pytest

from keras_gen import zoo
from keras_gen.models.core.default_networks import dcgan_filters

SHAPE = (8, 8, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"base_filters": 4},
            "no base_filters with network='mlp'.*; received base_filters=4: set hidden_units instead",
        ),
        (
            {"dense_units": 0},
            "no dense_units with network='mlp'.*; received dense_units=0: set hidden_units instead",
        ),
        (
            {"normalization": "layer"},
            "no normalization with network='mlp'.*='layer': leave it out",
        ),
        (
            {"network": "dcgan", "hidden_units": 8},
            "no hidden_units with network='dcgan'.*=8: set base_filters",
        ),
        ({"kernel": 5}, "no kernel with network='mlp'.*=5: set hidden_units instead, or network='dcgan'"),
        ({"network": "dcgan", "dropout": 0.5}, "no dropout with network='dcgan'.*=0.5: leave it out"),
        ({"network": "unet"}, "Expected network='mlp' or 'dcgan'; received 'unet'"),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        zoo.build("gan", SHAPE, **settings)


def test_kernel_and_dropout_reach_the_networks():
    model = zoo.build("dcgan", SHAPE, base_filters=2, kernel=5)
    sizes = {
        layer.kernel_size
        for network in (model.generator, model.discriminator)
        for layer in network.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
    }
    assert sizes == {(5, 5)}
    limited = zoo.build("gan", SHAPE, hidden_units=64, initial_range=0.005).discriminator
    for layer in limited.layers:
        if isinstance(layer, keras.layers.Dense):
            assert 0.004 < abs(layer.kernel.numpy()).max() <= 0.005
    for options, expected in (({}, []), ({"dropout": 0.5}, [0.2, 0.5, 0.5])):
        layers = zoo.build("gan", SHAPE, hidden_units=4, **options).discriminator.layers
        assert [layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)] == pytest.approx(expected)


@pytest.mark.parametrize(("size", "filters"), [((28, 28), 32), ((32, 32), 32), ((32, 48), 64), ((64, 64), 64)])
def test_the_default_width_follows_the_image_size(size, filters):
    """The width with which RESULTS.md was measured on digits, and twice as many channels for larger images."""
    assert dcgan_filters((*size, 1)) == filters
    dcgan, infogan = (zoo.build(key, (*size, 1)) for key in ("dcgan", "infogan"))
    for model in (dcgan, infogan):
        first = next(layer for layer in model.discriminator.layers if isinstance(layer, keras.layers.Conv2D))
        assert first.filters == filters
    assert infogan.discriminator_head.input_shape == (None, 16 * filters)
    assert (
        zoo.build("dcgan", (*size, 1), base_filters=4).discriminator.count_params() < dcgan.discriminator.count_params()
    )


def test_papers_state_their_width():
    assert zoo.get("dcgan", "paper").settings["base_filters"] == 128
    settings = zoo.get("infogan", "paper").settings
    assert (settings["base_filters"], settings["dense_units"]) == (64, 1024)
