"""Presets document every setting in the format that `keras-gen zoo KEY` parses."""

import functools
import inspect
import re

import pytest

from keras_gen import zoo

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
