"""Model files that are missing, damaged, or from another export."""

import json
import shutil

import numpy as np
import pytest

from keras_gen.runtime import Runtime
from keras_gen.runtime.model_file import open_interpreter
from tests.export.conftest import SIZE

from .test_description import update_digest


def test_a_model_of_another_export_is_refused(copied):
    """The ports of the model are checked too, in case size and digest were changed along with the file."""
    content = json.loads((copied / "model.json").read_text())
    del content["signatures"]["encode"]["outputs"]["scale"]
    (copied / "model.json").write_text(json.dumps(content))
    assert update_digest(copied)
    with pytest.raises(ValueError, match="model.tflite and model.json come from different exports: signature encode"):
        Runtime(copied)
    content["signatures"]["encode"]["outputs"]["scale"] = {"shape": [5], "kind": "value", "range": None}
    (copied / "model.json").write_text(json.dumps(content))
    assert update_digest(copied)
    with pytest.raises(ValueError, match=r"encode.outputs.scale: expected the shape \[1, 5\]; received \[1, 4\]"):
        Runtime(copied).encode(np.zeros((1, 16, 16, 1)), label=0)


def test_missing_model_file(device, tmp_path):
    copied = tmp_path / "copy"
    shutil.copytree(device, copied, ignore=shutil.ignore_patterns("saved_model", "model.tflite"))
    with pytest.raises(FileNotFoundError, match="model.tflite does not exist, and model.json names it"):
        Runtime(copied)
    assert Runtime(copied, precision="float32").generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)


def test_a_file_that_is_not_a_model_is_refused(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no model at all")
    with pytest.raises(ValueError, match="cannot be read as a TFLite model"):
        open_interpreter(tmp_path / "model.tflite")
