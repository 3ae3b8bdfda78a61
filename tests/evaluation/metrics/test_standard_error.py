import numpy as np
import pytest

from keras_gen.evaluation.metrics.standard_error import standard_error


def test_by_hand():
    # deviations -1, 0, 1 of three: sample variance 1
    assert standard_error(np.array([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))
    # a fraction of 1/4: variance 3/16 * 4/3
    assert standard_error(np.array([True, False, False, False])) == pytest.approx(np.sqrt(3 / 16 * 4 / 3 / 4))


def test_a_single_value_has_no_standard_error():
    assert standard_error(np.array([5.0])) is None
