import numpy as np
import pytest
import tensorflow as tf

from keras_gen.evaluation.evaluators.reconstruction import psnr, ssim_filter_size


def test_psnr_by_hand():
    images = tf.zeros([3, 4, 4, 1])
    reconstructions = images + tf.reshape([0.1, 1.0, 0.0], [3, 1, 1, 1])
    # mean squared errors .01, 1 and 0, the last one capped
    np.testing.assert_allclose(psnr(images, reconstructions), [20.0, 0.0, 100.0], atol=1e-4)


@pytest.mark.parametrize("shape, size", [((28, 28), 11), ((11, 64), 11), ((10, 64), 9), ((8, 8), 7), ((7, 9), 7)])
def test_ssim_window_fits(shape, size):
    assert ssim_filter_size(*shape) == size
