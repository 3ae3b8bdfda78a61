"""Training options are the same in Python, on the command line and in config.json."""

import inspect

import numpy as np
import pytest

from keras_gen import options, zoo
from keras_gen.models.core.system import argument_descriptions
from keras_gen.training.config import TrainConfig
from keras_gen.training.new_run import new_run
from keras_gen.training.train import train


def test_arguments_of_train_match_the_declared_options():
    parameters = inspect.signature(train).parameters
    declared = list(options.declared(TrainConfig))
    assert [name for name in parameters if name not in ("out", "callbacks", "verbose")] == [o.name for o in declared]
    documented = argument_descriptions(inspect.getdoc(train) or "")
    for option in declared:
        default = parameters[option.name].default
        if default is inspect.Parameter.empty:  # the positional arguments
            default = None
        assert default == option.default or (default is None and option.default == {}), option.name
        assert documented[option.name].startswith(f"{option.help}."), option.name


def test_config_json_has_every_stored_option(tmp_path):
    np.savez(tmp_path / "toy.npz", image=np.zeros((50, 8, 8, 1), np.uint8), label=np.arange(50) % 2)
    config = TrainConfig(
        system="vae", data=str(tmp_path / "toy.npz"), epochs=3, steps=4, batch_size=5, image_size=(8, 8), seed=6,
        precision="mixed_bfloat16", strategy="mirrored", patience=7, learning_rate=0.5, binarize="threshold",
        augment=("flip",), labeled=8, data_dir="/d", settings={**zoo.get("vae").settings, "head": "normal"},
        view={"crop": "pad", "max_pixels": 100}, value_range=(0, 255.5),
    )  # fmt: skip
    content = new_run(config)
    assert TrainConfig.from_json(content) == config
    for section, values in config.to_json().items():
        if section in ("data", "training"):
            assert values.items() <= content[section].items()
        else:
            assert values == content[section]


@pytest.mark.parametrize(
    "values, message",
    [
        ({"epochs": 0}, "Expected an integer >= 1 for epochs; received 0"),
        ({"epochs": True}, "Expected an integer >= 1 for epochs; received True"),
        ({"batch_size": 2.5}, "Expected an integer >= 1 for batch_size; received 2.5"),
        ({"learning_rate": -1.0}, "Expected a number > 0 for learning_rate; received -1.0"),
        ({"precision": "float64"}, "Expected one of float32, mixed_bfloat16, .* for precision; received 'float64'"),
        ({"strategy": "magic"}, "Expected one of auto, default, .* for strategy; received 'magic'"),
        ({"binarize": "maybe"}, "maybe"),
        ({"augment": ("spin",)}, "spin"),
        ({"value_range": (5, 1)}, r"\(5, 1\)"),
        ({"system": 3}, "Expected a key of the zoo .* or a keras_gen.GenerativeModel; received 3"),
    ],
)
def test_invalid_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{"system": "vae", "data": "shapes", **values})


def test_image_sizes():
    assert TrainConfig().image_size is None and TrainConfig(image_size=32).image_size == (32, 32)
    assert TrainConfig(image_size=[32, 48]).image_size == (32, 48)
    for wrong in (0, (32,), (32, 3.5)):
        with pytest.raises(ValueError, match="Expected a positive number of pixels"):
            TrainConfig(image_size=wrong)


def test_a_built_model_accepts_no_build_options():
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=4, latent_size=2, head="bernoulli")
    assert TrainConfig(system=model).system_name == "VAE" and TrainConfig(system=model).own_model is model
    with pytest.raises(ValueError, match="Expected no learning_rate with a VAE that is already built; received 0.1"):
        TrainConfig(system=model, learning_rate=0.1)
    with pytest.raises(ValueError, match="Expected a compiled VAE.*Call model.compile"):
        TrainConfig(system=type(model)(model.encoder, model.decoder))
