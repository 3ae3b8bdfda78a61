"""Every way to double the size of features, exported in every precision."""

import json

import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.export import PRECISIONS, export_model, parity_rows
from keras_gen.networks.upsampling import UPSAMPLINGS
from keras_gen.runtime.model_file import open_interpreter

MAXIMA = {"float32": 1e-5, "float16": 1e-2}


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_parity_in_all_precisions(upsampling, tmp_path):
    model = zoo.build("dcgan", (16, 16, 3), base_filters=8, latent_size=4, upsampling=upsampling, ema=None)
    random = np.random.default_rng(0)
    for weight in model.generator.trainable_weights:  # initial images are nearly gray
        if weight.path.endswith("kernel"):
            weight.assign(random.normal(scale=0.3, size=weight.shape))
    model.generator(random.normal(size=(64, 4)).astype(np.float32), training=True)  # moving statistics
    images = random.random((96, 16, 16, 3)).astype(np.float32)
    folder = export_model(model, tmp_path / "out", calibration=images, format="tflite", quantize=PRECISIONS)
    parity = json.loads((folder / "parity.json").read_text())
    for row in parity_rows(parity):
        limit, value = MAXIMA.get(row["precision"], 0.02), row["max" if row["precision"] in MAXIMA else "mean"]
        assert value <= limit, row
    for precision, file in parity["files"].items():
        assert file["float_fallback"] == [], precision
    interpreter = open_interpreter(folder / "model.tflite")
    assert max(len(tensor["shape"]) for tensor in interpreter.get_tensor_details()) <= 4
