"""The blur against a convolution by hand, what it keeps and removes, and saving."""

import keras
import numpy as np
import pytest
import scipy.ndimage

from keras_gen.layers import Blur2D

IMAGES = np.random.default_rng(0).random((2, 6, 5, 3)).astype(np.float32)


def test_equals_a_separable_convolution():
    expected = IMAGES
    for axis in (1, 2):
        expected = scipy.ndimage.convolve1d(expected, [0.25, 0.5, 0.25], axis=axis, mode="mirror")
    np.testing.assert_allclose(Blur2D()(IMAGES), expected, atol=1e-6)
    assert Blur2D().compute_output_shape((None, None, 5, 3)) == (None, None, 5, 3)


def test_keeps_constants_and_removes_checkerboards():
    rows, columns = np.indices((6, 5))
    checkerboard = ((-1.0) ** (rows + columns))[None, :, :, None].astype(np.float32)
    np.testing.assert_array_equal(Blur2D()(checkerboard), np.zeros_like(checkerboard))
    np.testing.assert_array_equal(Blur2D()(np.ones_like(checkerboard)), np.ones_like(checkerboard))


def test_saving(tmp_path):
    model = keras.Sequential([keras.Input((6, 5, 3)), Blur2D()])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(IMAGES), model(IMAGES))


def test_images_of_one_pixel_are_refused():
    with pytest.raises(ValueError, match="sides of 2 or more pixels"):
        Blur2D()(np.zeros((1, 1, 4, 1), np.float32))
