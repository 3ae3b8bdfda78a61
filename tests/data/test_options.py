"""`LoadOptions` checks and converts every option of `load` where it is declared."""

import dataclasses
import inspect

import pytest
import tensorflow as tf

from keras_gen import data
from keras_gen.data.options import LoadOptions

REQUIRED = {"image_shape": (8, 8, 1), "batch_size": 4}


def test_options_are_those_of_load_with_the_same_defaults():
    parameters = inspect.signature(data.load).parameters
    options = {field.name: field.default for field in dataclasses.fields(LoadOptions) if field.init}
    assert set(parameters) - set(options) == {"source", "report"} and set(options) <= set(parameters)
    for name, default in options.items():
        if name not in ("split", *REQUIRED):
            assert parameters[name].default == default, name


def test_values_are_converted():
    options = LoadOptions("train", **REQUIRED, augment="flip", value_range=(0, 4095), steps=3.0)
    assert options.augment == ("flip",) and options.value_range == (0.0, 4095.0) and options.steps == 3
    assert options.resize.image_shape == (8, 8, 1)


@pytest.mark.parametrize(
    "split, shuffle, shuffled",
    [
        ("train[:90%]", None, True),
        ("train_seen+train", None, True),
        ("train+test", None, False),
        ("test", None, False),
        ("test", True, True),
        ("train", False, False),
    ],
)
def test_training_splits_are_shuffled_by_default(split, shuffle, shuffled):
    assert LoadOptions(split, **REQUIRED, shuffle=shuffle).shuffled is shuffled


def test_shards():
    assert LoadOptions("train", **REQUIRED, num_shards=3, shard_index=2).shard == (3, 2)
    context = tf.distribute.InputContext(num_input_pipelines=2, input_pipeline_id=1, num_replicas_in_sync=2)
    assert LoadOptions("train", **REQUIRED, input_context=context).shard == (2, 1)
