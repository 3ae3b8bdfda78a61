"""Settings are documented in the form that `keras-gen zoo KEY` reads, and presets are complete."""

import functools
import inspect
import re

import pytest

from keras_gen import zoo
from keras_gen.data.choices import check_augmentations
from keras_gen.training.config import PRECISIONS
from keras_gen.zoo.presets import facts

DOCUMENTED = ("autoencoder", "vae", "aae", "cyclegan", "stargan", "puzzlegan")


def described_settings(create) -> dict[str, str]:
    """Returns {argument: description} of the section `Args:` of a settings function's docstring."""
    function = create.func if isinstance(create, functools.partial) else create
    section = inspect.cleandoc(function.__doc__ or "").split("Args:\n", 1)[1]
    entries = re.split(r"^    (?=\w+: )", section, flags=re.MULTILINE)[1:]
    return {name: " ".join(text.split()) for name, text in (entry.split(": ", 1) for entry in entries)}


@pytest.mark.parametrize("key", DOCUMENTED)
def test_every_setting_has_a_description(key):
    system = zoo.get(key)
    descriptions = described_settings(system.create)
    assert list(descriptions) == ["image_shape", "seed", *system.settings]
    assert all(len(text) > 20 and text.endswith(".") for text in descriptions.values())


@pytest.mark.parametrize("key", DOCUMENTED)
def test_descriptions_state_the_default(key):
    system = zoo.get(key)
    for name, text in described_settings(system.create).items():
        if name in system.settings:
            default = system.settings[name]
            number = isinstance(default, (int, float)) and not isinstance(default, bool)
            stated = f"default {default:g}" if number else "efault"
            assert stated in text, f"{name}: {text}"


PRESETS = [(key, name) for key in zoo.SYSTEMS for name in zoo.get(key).presets]


def test_every_system_has_the_same_presets():
    assert {tuple(zoo.get(key).presets) for key in zoo.SYSTEMS} == {("paper", "small", "gpu")}


@pytest.mark.parametrize("key, name", PRESETS)
def test_every_preset_is_complete(key, name):
    preset, system = zoo.get(key).presets[name], zoo.get(key, name)
    assert zoo.check_settings(key, preset.settings) == preset.settings
    assert preset.settings.items() <= system.settings.items()
    assert {"epochs", "updates"} & set(preset.training) and system.learning_rate > 0
    assert check_augmentations(system.augment) == (system.augment or ()) and system.precision in PRECISIONS
    assert zoo.check_settings(key, system.small_data) == system.small_data
    if name == "paper":  # which does not depend on the images
        assert system.augment is not None and (not system.small_data or set(system.small_data) & set(preset.settings))
    sentences = (preset.description, *preset.departures)
    assert preset.departures and all(text[0].isupper() or text[0].isdigit() for text in sentences)
    assert all(text.endswith(".") for text in sentences)
    assert preset.sources if name == "paper" else not preset.sources and not preset.weights
    assert name != "gpu" or system.precision == "mixed_bfloat16"


@pytest.mark.parametrize("key, name", PRESETS)
def test_a_preset_trains_at_the_size_at_which_its_weights_are_counted(key, name):
    height, width, channels = zoo.get(key).presets[name].image_shape
    assert height == width == zoo.get(key).presets[name].training.get("image_size", height) and channels in (1, 3)


def test_every_critic_update_of_a_paper_has_its_whole_batch():
    for key in zoo.SYSTEMS:
        system = zoo.get(key, "paper")
        updates = system.settings.get("n_critic", 1)
        assert system.batch_size == {"stargan": 5 * 16}.get(key, system.batch_size), key
        assert system.batch_size % updates == 0 and (updates == 1) == (key != "stargan"), key


def test_penalties_of_papers_have_the_default_units():
    # weight 10, slope 1, for images in [-1, 1]
    assert zoo.get("progan", "paper").settings["penalty"] == {"name": "wgan_gp", "weight": 10.0, "target": 1.0}
    assert zoo.get("stargan", "paper").settings["penalty_weight"] == 10
    for key in ("gan", "dcgan", "infogan", "text2image"):
        assert zoo.get(key, "paper").settings["penalty"] is None


def test_facts_of_a_preset_in_words():
    rows = facts(zoo.get("stargan"), "paper", {"generator": 8_430_467})
    assert list(rows) == [
        *("settings", "training", "optimizer", "weights", "published weights", "sources", "departures")
    ]
    assert "n_critic=5" in rows["settings"] and 'conditioning="planes"' in rows["settings"]
    assert rows["training"] == [
        *("128 pixels", "batches of 80", "20 epochs", "rates fall linearly to 0 after 50% of the epochs"),
        *("augmented by flip", "float32"),
    ]
    assert rows["optimizer"] == ["Adam", "beta_1 0.5", "beta_2 0.999", "learning rate 0.0001"]
    assert rows["weights"] == ["generator 8,430,467"]
    assert rows["published weights"] == ["generator 8,430,528", "discriminator 44,762,048"]
    assert facts(zoo.get("dcgan"), "gpu")["optimizer"][3:] == ["learning rate 0.0001", "discriminator 0.0004"]
    assert facts(zoo.get("aae"), "paper")["optimizer"] == [
        *("SGD", "momentum 0.1", "reconstruction momentum 0.9", "learning rate 0.1", "reconstruction 0.001")
    ]
    assert "published weights" not in facts(zoo.get("vae"), "paper")
