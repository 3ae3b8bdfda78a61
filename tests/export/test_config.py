"""Export options are the same in Python and on the command line."""

import inspect

import pytest

from keras_gen import options
from keras_gen.export import export
from keras_gen.export.config import ExportConfig


def test_arguments_of_export_match_the_declared_options():
    parameters = inspect.signature(export).parameters
    defaults = {name: each.default for name, each in parameters.items() if name != "run"}
    assert {each.name: each.default for each in options.declared(ExportConfig)} == defaults


def test_values_are_checked_and_converted():
    config = ExportConfig(format="tflite,saved_model", quantize="int8,none")
    assert config.format == ("tflite", "saved_model") and config.quantize == ("int8", "float32")
    for values in ({"format": "onnx"}, {"quantize": "int3"}, {"batch": 0}, {"seed": -1}):
        with pytest.raises(ValueError, match=str(next(iter(values.values())))):
            ExportConfig(**values)
