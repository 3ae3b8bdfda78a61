"""`get_config` from the signature of the constructor."""

import keras
import numpy as np
import pytest

from keras_gen import VAE, Autoencoder
from keras_gen.models import GenerativeModel
from keras_gen.models.core.constructor_config import constructor_arguments
from tests.models.toys import images, linear_decoder, linear_encoder


class Base(GenerativeModel):
    def __init__(self, network, *, weight: float = 1.0, kind: str = "a", **kwargs):
        super().__init__(**kwargs)
        self.network, self.weight, self.kind = network, weight, kind


class Fixed(Base):
    """A class that passes one argument to its base class, and stores another one under a different name."""

    config_attributes = {"kind": None, "rate": "learning_rate"}

    def __init__(self, network, *, rate: float, **kwargs):
        super().__init__(network, kind="b", **kwargs)
        self.learning_rate = rate


def network() -> keras.Model:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


def test_config_includes_arguments_of_the_base_class():
    assert constructor_arguments(Base, GenerativeModel) == ["network", "weight", "kind", "ema", "seed"]
    assert constructor_arguments(Fixed, GenerativeModel) == ["network", "rate", "weight", "kind", "ema", "seed"]
    assert constructor_arguments(VAE, GenerativeModel)[:3] == ["encoder", "decoder", "prior"]


def test_round_trip():
    model = Fixed(network(), rate=0.5, weight=2.0, seed=3, name="fixed")
    config = model.get_config()
    assert {name: config[name] for name in ("rate", "weight", "seed", "name")} == {
        "rate": 0.5, "weight": 2.0, "seed": 3, "name": "fixed"
    }  # fmt: skip
    assert "kind" not in config and config["network"]["class_name"] == "Sequential"
    copy = Fixed.from_config(config)
    assert (copy.learning_rate, copy.weight, copy.kind, copy.seed) == (0.5, 2.0, "b", 3)
    assert copy.get_config() == config


def test_an_argument_without_an_attribute_raises():
    class MissingAttribute(GenerativeModel):
        def __init__(self, units: int, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(AttributeError, match="'units' of MissingAttribute as an attribute .*config_attributes"):
        MissingAttribute(3).get_config()


def test_a_loaded_model_has_the_same_config(tmp_path):
    model = Autoencoder(linear_encoder(2), linear_decoder(), loss="bernoulli", seed=1)
    model.compile("sgd")
    model.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    assert loaded.reconstruction_loss == "bernoulli" and loaded.seed == 1
    np.testing.assert_array_equal(loaded.predict(images(4), verbose=0), model.predict(images(4), verbose=0))
