"""Presets: what they may state, and how they change a system."""

import functools

import pytest

from keras_gen.models.core.system import Preset, System


def create(image_shape, seed, *, depth: int = 2, width: int = 3):
    """Builds nothing."""


LONG = Preset("Long.", {"depth": 9}, {"epochs": 500, "learning_rate": 0.1, "optimizer": {"name": "SGD"}})
SHORT = Preset("Short.", training={"updates": 100, "decay": None})
SYSTEM = System(
    "key",
    "Title",
    "2020",
    functools.partial(create, width=4),
    data=(),
    endpoints=(),
    decay=0.5,
    betas=(0.5, 0.9),
    presets={"long": LONG, "short": SHORT},
)


def test_a_preset_replaces_what_it_states_and_nothing_else():
    system = SYSTEM.with_preset("long")
    assert system.settings == {"depth": 9, "width": 4} and SYSTEM.settings == {"depth": 2, "width": 4}
    assert (system.epochs, system.learning_rate) == (500, 0.1)
    assert (system.decay, system.batch_size) == (0.5, SYSTEM.batch_size)
    assert SYSTEM.with_preset(None) is SYSTEM


def test_a_length_in_updates_replaces_that_in_epochs_and_none_is_a_value():
    system = SYSTEM.with_preset("short")
    assert (system.epochs, system.updates, system.decay) == (None, 100, None)


def test_optimizers():
    assert SYSTEM.optimizer_options == {"name": "Adam", "beta_1": 0.5, "beta_2": 0.9}
    assert SYSTEM.with_preset("long").optimizer_options == {"name": "SGD"}


def test_errors():
    with pytest.raises(ValueError, match="Expected one of the presets of 'key', long, short; received 'tiny'"):
        SYSTEM.with_preset("tiny")
    with pytest.raises(ValueError, match="Expected no preset; received 'tiny'"):
        System("key", "Title", "2020", create, data=(), endpoints=()).with_preset("tiny")
    with pytest.raises(ValueError, match=r"Expected defaults of training among .*epochs.*; received \['beta'\]"):
        Preset("Wrong.", training={"beta": 1})
    with pytest.raises(ValueError, match="Expected either epochs or updates; received both"):
        Preset("Wrong.", training={"epochs": 1, "updates": 1})
