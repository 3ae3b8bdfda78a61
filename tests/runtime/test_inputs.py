"""Inputs with invalid names, shapes, types or ranges are refused."""

import numpy as np
import pytest

from keras_gen.runtime import Runtime


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("upscale", {}, "Expected an endpoint of encode, decode, reconstruct, generate; received 'upscale'"),
        ("decode", {"z": np.zeros((1, 4))}, "label is missing"),
        ("decode", {"z": np.zeros((1, 4)), "label": 0, "seed": 1}, "seed is unknown"),
        ("decode", {"z": np.zeros((1, 5)), "label": 0}, r"expected the shape \[num, 4\]; received \[1, 5\]"),
        ("decode", {"z": np.zeros(4), "label": 0}, r"add the batch axis: array\[None\]"),
        ("decode", {"z": np.full((1, 4), np.nan), "label": 0}, "z: expected finite values; received NaN or infinity"),
        ("decode", {"z": np.zeros((1, 4)), "label": 3}, r"classes from 0 to 2; received 3"),
        ("decode", {"z": np.zeros((1, 4)), "label": [0.5]}, r"classes from 0 to 2; received \[0.5\]"),
        ("decode", {"z": np.zeros((2, 4)), "label": [0, 1, 2]}, "one common number of rows"),
        ("decode", {"z": np.zeros((0, 4)), "label": np.zeros((0, 3))}, "rows >= 1"),
        ("decode", {"z": np.array([["a"] * 4]), "label": 0}, "z: expected numbers; received an array of <U1"),
        ("encode", {"image": 255 * np.ones((1, 16, 16, 1)), "label": 0}, "between 0 and 1.*divide 8-bit images by 255"),
        ("encode", {"image": np.full((1, 16, 16, 1), 4095, np.uint16), "label": 0}, "4095; scale them so that black"),
        ("encode", {"image": -np.ones((1, 16, 16, 1)), "label": 0}, r"images in \[-1, 1\] by \(x \+ 1\) / 2"),
        ("encode", {"image": np.full((1, 16, 16, 1), np.nan), "label": 0}, "image: expected finite values"),
        ("encode", {"image": "photo.png", "label": 0}, "image: expected numbers"),
        ("generate", {"noise": np.zeros((1, 4)), "label": -1}, "classes from 0 to 2; received -1"),
    ],
)
def test_invalid_inputs_are_refused(device, signature, inputs, message):
    with pytest.raises(ValueError, match=message):
        Runtime(device).run(signature, **inputs)
