import json
import pathlib

import pytest

from keras_gen import options, zoo
from keras_gen.training.config import TrainConfig
from keras_gen.training.new_run import new_run
from keras_gen.training.resume import changes, resumed

FINGERPRINTS = {"train": {"images": 45, "digest": "00"}}


@pytest.fixture
def config(npz):
    """The content of config.json of a new run on 50 images of 8x8."""
    return new_run(TrainConfig(system="vae", data=npz, settings={"beta": 2.0}, batch_size=16))


def test_resumable_options():
    resumable = [each.name for each in options.declared(TrainConfig) if each.resumable]
    assert resumable == ["data", "epochs", "strategy", "patience", "data_dir"]


def test_a_resumed_run_may_change_its_resumable_options(config):
    content = resumed(TrainConfig(epochs=30, patience=3, strategy="mirrored", data_dir="/elsewhere"), config)
    assert {name: value for name, value in content["training"].items() if value != config["training"][name]} == {
        "epochs": 30, "patience": 3, "strategy": "mirrored",
    }  # fmt: skip
    assert content["data"] == {**config["data"], "data_dir": "/elsewhere"}
    assert resumed(TrainConfig(data=pathlib.Path("mnist")), config)["data"]["source"] == "mnist"


def test_unchanged_options_may_be_repeated(config):
    source = config["data"]["source"]
    same = TrainConfig(system="vae", data=source, batch_size=16, image_size=(8, 8), settings={"beta": 2.0}, seed=0)
    assert resumed(same, config) == config
    puzzle = new_run(TrainConfig(system="puzzlegan", data="shapes"))
    assert resumed(TrainConfig(system="puzzlegan", data="shapes"), puzzle) == puzzle
    custom_model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=4, latent_size=2)
    config_of_custom_model = new_run(TrainConfig(system=custom_model, data=source))
    assert resumed(TrainConfig(system=custom_model), config_of_custom_model) == config_of_custom_model


@pytest.mark.parametrize(
    "values, message",
    [
        ({"system": "autoencoder"}, "system is 'vae', received 'autoencoder'"),
        ({"preset": "small"}, "preset is None, received 'small'"),
        ({"batch_size": 32, "seed": 1}, "batch_size is 16, received 32; seed is 0, received 1"),
        ({"settings": {"beta": 1.0}}, r"settings\['beta'\] is 2.0, received 1.0"),
        ({"view": {"crop": "pad"}}, r"view\['crop'\] is None, received 'pad'"),
        ({"image_size": (16, 16)}, r"image_size is \(8, 8\), received \(16, 16\)"),
        ({"augment": ("flip",)}, r"augment is \(\), received \('flip',\)"),
        ({"precision": "mixed_bfloat16"}, "precision is 'float32', received 'mixed_bfloat16'"),
        ({"steps": 5}, "steps is None, received 5"),
        ({"binarize": "threshold"}, "binarize is 'dynamic', received 'threshold'"),
        ({"labeled": 5}, "labeled is None, received 5"),
        ({"value_range": (0, 4095)}, r"value_range is None, received \(0, 4095\)"),
        ({"initial_weights": "a.keras"}, "initial_weights is None, received '.*a.keras'"),
        ({"pretraining_epochs": 0}, "pretraining_epochs is None, received 0"),
    ],
)
def test_other_options_cannot_change(config, values, message):
    with pytest.raises(ValueError, match=f"Expected the options that the run began with: .*{message}"):
        resumed(TrainConfig(**values), config)


def test_edits_of_config_json_are_detected(config):
    original = {**config, "id": "a", "fingerprints": FINGERPRINTS}
    content = json.loads(json.dumps(original))
    content["training"] |= {"epochs": 100, "patience": 2, "strategy": "mirrored", "schedule": [[0, 20], [5, 100]]}
    content["data"] |= {"source": "/elsewhere", "data_dir": "/d"}
    assert changes(content, original) == []
    content["settings"]["beta"], content["data"]["splits"]["train"], content["training"]["seed"] = 9.0, "test", 1
    assert changes(content, original) == [
        "data.splits.train is 'test', expected 'train[:-5]'",
        "settings.beta is 9.0, expected 2.0",
        "training.seed is 1, expected 0",
    ]
    content["fingerprints"]["changed"] = [{"epoch": 1, "train": [45, 90]}]
    assert len(changes(content, original)) == 2  # after a change of the data, the splits may differ
