"""Padding by reflection against numpy, its output shape, and its errors."""

import keras
import numpy as np
import pytest

from keras_gen.layers import ReflectionPadding2D


@pytest.mark.parametrize("size", [0, 1, 3])
def test_equals_numpy(size):
    images = np.random.default_rng(0).random((2, 4, 5, 3), np.float32)
    expected = np.pad(images, [(0, 0), (size, size), (size, size), (0, 0)], mode="reflect")
    outputs = ReflectionPadding2D(size)(images)
    np.testing.assert_array_equal(outputs, expected)
    assert ReflectionPadding2D(size).compute_output_shape((None, None, 5, 3)) == (None, None, 5 + 2 * size, 3)


def test_saving(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 1)), ReflectionPadding2D(2)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(loaded(image), model(image))


@pytest.mark.parametrize("size", [-1, 1.5, (1, 1)])
def test_errors(size):
    with pytest.raises(ValueError, match="Expected size as an integer >= 0"):
        ReflectionPadding2D(size)
