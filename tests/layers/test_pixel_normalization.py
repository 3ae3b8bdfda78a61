"""Pixel normalization against numpy."""

import numpy as np

from keras_gen.layers import PixelNormalization


def test_mean_square_of_every_pixel_is_one():
    x = np.random.default_rng(0).normal(0, 3, (2, 3, 4, 5)).astype(np.float32)
    outputs = np.asarray(PixelNormalization()(x))
    np.testing.assert_allclose(np.square(outputs).mean(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(outputs / outputs[..., :1], x / x[..., :1], rtol=1e-4)
    np.testing.assert_array_equal(PixelNormalization()(np.zeros((1, 2), np.float32)), np.zeros((1, 2)))
