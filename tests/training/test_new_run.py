import pathlib

import keras
import numpy as np
import pytest

from keras_gen import runs, zoo
from keras_gen.training.config import TrainConfig
from keras_gen.training.new_run import absolute_source, binarize_of, complete_settings, new_run


@pytest.mark.parametrize(
    "key, channels, settings, expected",
    [
        ("vae", 1, {}, "auto"),
        ("vae", 3, {}, None),
        ("vae", 1, {"head": "discretized_logistic_mixture"}, None),
        ("autoencoder", 1, {}, None),
    ],
)
def test_pixels_are_binarized_for_likelihoods_of_binary_pixels(key, channels, settings, expected):
    model = zoo.build(key, (8, 8, channels), network="mlp", hidden_units=4, latent_size=2, **settings)
    assert binarize_of(model, "auto") == expected
    assert binarize_of(model, "threshold") == "threshold" and binarize_of(model, None) is None


def test_config_of_a_new_run_has_every_option(npz):
    content = new_run(TrainConfig(system="vae", data=npz, settings={"beta": 2.0}, batch_size=16))
    assert content["format"] == runs.FORMAT and content["system"] == "vae"
    assert content["settings"] == {**zoo.get("vae").settings, "beta": 2.0}
    assert content["data"] == {
        "source": str(npz), "splits": {"train": "train[:-5]", "validation": "train[-5:]", "test": None},
        "slices": "random", "drop_remainder": False, "binarize": "auto", "augment": [], "labeled": None,
        "data_dir": None, "value_range": None,
    }  # fmt: skip
    assert content["image_shape"] == [8, 8, 1] and content["versions"]["keras"] == keras.__version__
    assert content["training"] == {
        "epochs": 20, "steps": None, "batch_size": 16, "seed": 0, "precision": "float32", "strategy": "auto",
        "patience": None, "learning_rate": 0.002, "decay": None, "initial_weights": None, "pretraining_epochs": None,
    }  # fmt: skip


def test_puzzlegan_uses_the_variant_of_shapes_with_placed_objects():
    assert new_run(TrainConfig(system="puzzlegan", data="shapes"))["data"]["source"] == "shapes/placed"
    assert new_run(TrainConfig(system="puzzlegan", data="shapes/full"))["data"]["source"] == "shapes/full"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"system": "gone"}, "'gone'"),
        ({"settings": {"betta": 1}}, r"betta"),
        ({"system": None}, "Expected a system and data for a new run"),
        ({"pretraining_epochs": 2}, r"only with systems that are pretrained \(text2image\); received it with vae"),
    ],
)
def test_inconsistent_options_are_refused(npz, options, message):
    with pytest.raises(ValueError, match=message):
        new_run(TrainConfig(**{"system": "vae", "data": npz, **options}))


def test_completed_settings_are_json_values():
    assert complete_settings("vae", {"beta": np.float32(2)})["beta"] == 2.0
    assert complete_settings("dcgan", {"augment": ("translation",)})["augment"] == ["translation"]


def test_config_of_a_custom_model(npz):
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=4, latent_size=2)
    content = new_run(TrainConfig(system=model, data=npz, view={"crop": "pad", "captions": "a.csv"}))
    assert content["system"] == "VAE" and content["settings"] == {} and content["image_shape"] == [8, 8, 1]
    assert content["training"]["learning_rate"] is None and content["training"]["precision"] == "float32"
    assert content["data"]["crop"] == "pad" and content["data"]["captions"] == "a.csv"


def test_a_detected_value_range_is_stored_unless_it_is_0_to_255(tmp_path):
    np.save(tmp_path / "deep.npy", np.full((20, 8, 8), 4000, np.uint16))
    assert new_run(TrainConfig(system="vae", data=tmp_path / "deep.npy"))["data"]["value_range"] == [0, 4095]
    config = TrainConfig(system="vae", data=tmp_path / "deep.npy", value_range=(0, 5000.5))
    assert new_run(config)["data"]["value_range"] == [0, 5000.5]


def test_paths_become_absolute_and_dataset_names_do_not_change(tmp_path, monkeypatch, npz):
    monkeypatch.chdir(tmp_path)
    assert absolute_source("toy.npz") == str(npz) and absolute_source(pathlib.Path("toy.npz")) == str(npz)
    (tmp_path / "mnist").mkdir()
    assert absolute_source("mnist") == "mnist"  # a bare name is a TFDS dataset
    assert absolute_source("./mnist") == str(tmp_path / "mnist")
    assert absolute_source("celeb_a_hq/256") == "celeb_a_hq/256"
