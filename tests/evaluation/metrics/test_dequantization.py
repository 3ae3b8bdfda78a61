import numpy as np
import pytest
import scipy.stats

from keras_gen.evaluation.metrics.dequantization import cell_nats, dequantize


def test_it_fills_each_level_s_cell():
    levels = np.repeat(np.arange(256), 40).reshape(-1, 2, 2, 1)
    shifted = dequantize((levels / 255).astype(np.float32), seed=0).numpy()
    # float32 may round the last value of a cell onto its bound
    assert np.all(shifted * 256 >= levels) and np.all(shifted * 256 <= levels + 1)
    assert scipy.stats.kstest((shifted.astype(np.float64) * 256 - levels).ravel(), "uniform").pvalue > 1e-3


def test_parts_and_seeds_have_noise_of_their_own():
    image = np.zeros((2, 4, 4, 1), np.float32)
    first = dequantize(image, 3, 1)
    np.testing.assert_array_equal(first, dequantize(image, 3, 1))
    assert np.abs(first - dequantize(image, 3, 2)).max() > 0
    assert np.abs(first - dequantize(image, 4, 1)).max() > 0


def test_the_cell_of_an_image():
    assert cell_nats((2, 2, 1)) == pytest.approx(4 * np.log(256))
