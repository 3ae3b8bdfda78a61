import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen import runs, zoo
from keras_gen.training.config import TrainConfig
from keras_gen.training.new_run import LENGTHS, absolute_source, binarize_of, complete_settings, new_run


@pytest.mark.parametrize(
    "key, channels, settings, expected",
    [
        ("vae", 1, {"head": "bernoulli"}, "auto"),
        ("vae", 3, {"head": "bernoulli"}, "auto"),
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
    assert content["settings"] == {**zoo.get("vae").settings, "beta": 2.0, "head": "bernoulli"}  # of black images
    assert content["data"] == {
        "source": str(npz), "splits": {"train": "train[:-5]", "validation": "train[-5:]", "test": None},
        "slices": "random", "drop_remainder": False, "binarize": "dynamic", "augment": [], "labeled": None,
        "data_dir": None, "value_range": None,
    }  # fmt: skip
    assert content["image_shape"] == [8, 8, 1] and content["versions"]["keras"] == keras.__version__
    assert content["training"] == {
        "epochs": None, "updates": 5_600, "minutes": None, "steps": None,
        "batch_size": 16, "seed": 0, "precision": "float32", "strategy": "auto",
        "patience": None, "learning_rate": 0.002, "decay": None, "initial_weights": None, "pretraining_epochs": None,
        "optimizer": {"name": "Adam", "beta_1": 0.9, "beta_2": 0.999}, "learning_rate_multipliers": {},
    }  # fmt: skip
    assert content["preset"] is None


def test_a_preset_is_resolved_before_the_options_of_the_user(npz):
    content = new_run(TrainConfig(system="vae", data=npz, preset="paper"))
    assert content["preset"] == "paper" and content["image_shape"] == [28, 28, 1]
    assert content["settings"] == {**zoo.get("vae").settings, **zoo.get("vae").presets["paper"].settings}
    assert content["training"].items() >= {
        "batch_size": 32,  # not 100, for 45 training images
        "epochs": None, "updates": 1_000_000, "learning_rate": 0.01,
        "optimizer": {"name": "Adagrad"}, "decay": None,
    }.items()  # fmt: skip
    given = {"epochs": 3, "batch_size": 5, "learning_rate": 0.5, "image_size": (8, 8), "settings": {"latent_size": 4}}
    changed = new_run(TrainConfig(system="vae", data=npz, preset="paper", **given))
    assert changed["image_shape"] == [8, 8, 1] and changed["settings"] == {**content["settings"], "latent_size": 4}
    stated = {"epochs": 3, "updates": None, "batch_size": 5, "learning_rate": 0.5}
    assert changed["training"] == {**content["training"], **stated}


def test_the_length_of_a_preset_is_one_in_epochs_or_updates(npz):
    def length_of(preset, **options):
        training = new_run(TrainConfig(system="gan", data=npz, preset=preset, **options))["training"]
        return training["epochs"], training["updates"], training["minutes"]

    assert length_of("paper") == (250, None, None) and length_of("small") == (None, 5000, None)
    assert length_of("paper", updates=7) == (None, 7, None) and length_of("small", epochs=7) == (7, None, None)
    assert length_of("paper", minutes=2.0) == (None, None, 2.0)


def test_augmentation_precision_and_multipliers_of_a_preset(npz):
    def training_of(**options):
        content = new_run(TrainConfig(system="dcgan", data=npz, preset="gpu", **options))
        return content["training"], content["data"]["augment"]

    training, augment = training_of()
    assert training["precision"] == "mixed_bfloat16" and augment == []
    assert training["learning_rate_multipliers"] == {"discriminator": 4.0}
    assert training["optimizer"] == {"name": "Adam", "beta_1": 0.0, "beta_2": 0.9}
    assert training_of(precision="float32")[0]["precision"] == "float32"
    cyclegan = {"system": "cyclegan", "data": f"{npz},{npz}", "preset": "paper"}
    assert new_run(TrainConfig(**cyclegan))["data"]["augment"] == ["flip", "crop"]
    assert new_run(TrainConfig(**cyclegan, augment=()))["data"]["augment"] == []


def test_puzzlegan_uses_the_variant_of_shapes_with_placed_objects():
    assert new_run(TrainConfig(system="puzzlegan", data="shapes"))["data"]["source"] == "shapes/placed"
    assert new_run(TrainConfig(system="puzzlegan", data="shapes/full"))["data"]["source"] == "shapes/full"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"system": "gone"}, "'gone'"),
        ({"settings": {"betta": 1}}, r"betta"),
        ({"preset": "large"}, "Expected one of the presets of 'vae', paper, small, gpu; received 'large'"),
        ({"system": None}, "Expected a system and data for a new run"),
        ({"pretraining_epochs": 2}, r"only with systems that are pretrained \(text2image\); received it with vae"),
    ],
)
def test_inconsistent_options_are_refused(npz, options, message):
    with pytest.raises(ValueError, match=message):
        new_run(TrainConfig(**{"system": "vae", "data": npz, **options}))


@pytest.mark.parametrize("options", [{"epochs": 3}, {"minutes": 2}, {"updates": 70}])
def test_the_length_is_requested_in_one_of_three_ways(npz, options):
    training = new_run(TrainConfig(system="vae", data=npz, **options))["training"]
    assert {name: training[name] for name in LENGTHS} == {**dict.fromkeys(LENGTHS), **options}


def test_two_lengths_are_refused(npz):
    with pytest.raises(ValueError, match="one of epochs, updates, minutes; received epochs=3 and minutes=2.5"):
        new_run(TrainConfig(system="vae", data=npz, epochs=3, minutes=2.5))


@pytest.mark.parametrize(
    "key, size, expected, noted",
    [("vae", 350, 64, True), ("vae", 100, 64, False), ("vae", 48, 48, False), ("infogan", 350, 32, True)],
)
def test_photos_are_resized_with_a_note(tmp_path, key, size, expected, noted):
    for index in range(4):
        Image.new("RGB", (size, size), (index, 0, 0)).save(tmp_path / f"{index}.png")
    notes = []
    assert new_run(TrainConfig(system=key, data=tmp_path), notes.append)["image_shape"] == [expected, expected, 3]
    assert any("are resized to" in note for note in notes) == noted
    chosen: list[str] = []
    new_run(TrainConfig(system=key, data=tmp_path, image_size=(16, 16)), chosen.append)
    assert not any("are resized to" in note for note in chosen)


class TestFewImages:
    """DCGAN augments what its discriminator sees of fewer than 5,000 training images."""

    ALL = ["color", "translation", "cutout"]

    def content(self, tmp_path, count, **options):
        np.save(tmp_path / "images.npy", np.zeros((count, 8, 8, 1), np.uint8))
        notes: list[str] = []
        config = TrainConfig(**{"system": "dcgan", "data": tmp_path / "images.npy", **options})
        return new_run(config, notes.append)["settings"], [note for note in notes if " are few: " in note]

    @pytest.mark.parametrize("count, few", [(60, True), (5554, True), (5556, False)])
    def test_the_number_of_training_images_decides(self, tmp_path, count, few):
        """A tenth of the images, rounded down, is left for validation."""
        settings, notes = self.content(tmp_path, count)
        assert settings["augment"] == (self.ALL if few else []) and len(notes) == few
        assert settings["augment_probability"] == ("adaptive" if few else 1.0)
        if few:
            assert notes == [
                f'The {count - count // 10:,} training images are few: augment=["color", "translation", "cutout"], '
                'augment_probability="adaptive". --set augment=[] overrides this.'
            ]

    @pytest.mark.parametrize("given", [[], ["color"]])
    def test_what_the_user_states_stays(self, tmp_path, given):
        assert self.content(tmp_path, 60, settings={"augment": given}) == (
            {**complete_settings("dcgan", {}), "augment": given},
            [],
        )

    def test_a_preset_may_state_it(self, tmp_path):
        chosen = {name: self.content(tmp_path, 60, preset=name)[0]["augment"] for name in ("paper", "small", "gpu")}
        assert chosen == {"paper": [], "small": self.ALL, "gpu": self.ALL}

    def test_other_systems_do_not(self, tmp_path):
        assert self.content(tmp_path, 60, system="gan")[0]["augment"] == []


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
