"""Settings of GAN and DCGAN that do not apply to the chosen network are refused."""

import pytest

from keras_gen import zoo

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
        ({"network": "unet"}, "Expected network='mlp' or 'dcgan'; received 'unet'"),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        zoo.build("gan", SHAPE, **settings)
