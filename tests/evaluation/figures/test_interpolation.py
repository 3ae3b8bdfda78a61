import numpy as np

from keras_gen.evaluation.figures.interpolation import interpolate


def test_equidistant_codes_from_end_to_end():
    line = interpolate(np.array([0.0, 10.0]), np.array([4.0, -10.0]), 5)
    np.testing.assert_allclose(line, [[0, 10], [1, 5], [2, 0], [3, -5], [4, -10]])
