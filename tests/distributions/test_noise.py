"""Base noise is reproducible on any machine and independent of the number of rows."""

import numpy as np
import pytest
from scipy import stats

from keras_gen.distributions import Noise, draw_noise

NORMAL = [[-0.293339, 1.7038306, 1.5391918], [0.63675386, 0.5348485, -0.6393058]]
UNIFORM = [[0.74803823], [0.8824668]]
TWO = {"noise": Noise("normal", (3,)), "component": Noise("uniform", (1,))}


def test_known_values():
    # recorded values: the runtime without TensorFlow must generate the same numbers on any machine
    samples = draw_noise(TWO, 2, seed=7)
    np.testing.assert_array_equal(samples["noise"], np.array(NORMAL, np.float32))
    np.testing.assert_array_equal(samples["component"], np.array(UNIFORM, np.float32))


@pytest.mark.parametrize("shape", [(3,), (2, 4, 1)])
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_first_rows_do_not_depend_on_num(kind, shape):
    specification = {"noise": Noise(kind, shape)}
    one, many = draw_noise(specification, 1, 5)["noise"], draw_noise(specification, 65, 5)["noise"]
    assert many.shape == (65, *shape) and many.dtype == np.float32
    np.testing.assert_array_equal(one, many[:1])


def test_moments():
    samples = draw_noise({"n": Noise("normal", (4,)), "u": Noise("uniform", (4,))}, 5000, 0)
    # Kolmogorov-Smirnov: a wrong distribution gives p < 1e-6 at 20,000 samples; a right one p < 1e-3 once in 1000 seeds
    assert stats.kstest(samples["n"].ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(samples["u"].ravel(), "uniform").pvalue > 1e-3
    assert samples["u"].min() >= 0 and samples["u"].max() < 1


def test_streams_and_seeds_differ():
    both = {"a": Noise("normal", (1,)), "b": Noise("normal", (1,))}
    first, other = draw_noise(both, 400, 0), draw_noise(both, 400, 1)
    for left, right in ((first["a"], first["b"]), (first["a"], other["a"]), (first["b"], other["a"])):
        # the correlation of 400 independent pairs has standard error .05
        assert abs(np.corrcoef(left[:, 0], right[:, 0])[0, 1]) < 0.2


def test_zero_rows():
    assert draw_noise(TWO, 0, 0)["noise"].shape == (0, 3)


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(5)])
def test_seeds_in_range(seed):
    assert np.isfinite(draw_noise(TWO, 1, seed)["noise"]).all()


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "7"])
def test_seeds_out_of_range(seed):
    with pytest.raises(ValueError, match=r"Expected seed as an integer with 0 <= seed < 2\*\*63"):
        draw_noise(TWO, 1, seed)


def test_unknown_kind():
    with pytest.raises(ValueError, match="Expected kind as one of normal, uniform.*; received 'gauss'"):
        Noise("gauss", (1,))
