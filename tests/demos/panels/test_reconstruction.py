"""The error of a reconstruction, computed by hand."""

import numpy as np

from demos.panels.reconstruction import error_text


def test_error_and_ratio_by_hand():
    image = np.zeros((2, 2, 1), np.float32)
    assert error_text(image, image + 0.1) == "MSE 0.0100, PSNR 20.0 dB"
    assert error_text(image, image) == "MSE 0.0000, PSNR infinite"
