import numpy as np
import pytest

from keras_gen.evaluation import count_active_units


def test_counts_dimensions_above_the_threshold():
    # variances 1, 0.0121, 0.0081, 0
    codes = np.array([[1.0, 0.11, 0.09, 5.0], [-1.0, -0.11, -0.09, 5.0]])
    assert count_active_units(codes) == 2
    assert count_active_units(codes, threshold=0.001) == 3


def test_one_image_has_no_variance():
    with pytest.raises(ValueError, match="at least 2"):
        count_active_units(np.zeros((1, 3)))
