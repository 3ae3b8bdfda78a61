import numpy as np
import pytest

from keras_gen.evaluation.metrics.mode_coverage import mode_coverage, modes_floor


def test_by_hand():
    coverage = mode_coverage(np.array([0, 0, 1]), num_classes=2)
    assert coverage == (2, pytest.approx(2 / 3 * np.log(4 / 3) + 1 / 3 * np.log(2 / 3)), 3)
    # relative to the frequencies in the data
    coverage = mode_coverage(np.array([0, 0, 1]), num_classes=2, data=np.array([200, 100]))
    assert coverage.kl == pytest.approx(0, abs=1e-12)
    # frequencies 3 : 1 relative to 1 : 1
    coverage = mode_coverage(np.array([1, 1, 1, 0]), num_classes=2, data=np.array([0.5, 0.5]))
    assert coverage.kl == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


def test_modes_are_combinations_of_digits():
    counts = np.zeros(1000)
    counts[702] = 1
    assert mode_coverage(np.array([[7, 0, 2]] * 5), data=counts) == (1, 0.0, 5)
    with pytest.raises(ValueError, match="infinite"):
        mode_coverage(np.array([[7, 2, 0]]), data=counts)
    # a collapse to one of 1,000 modes, and one sample per mode
    assert mode_coverage(np.array([[7, 0, 2]] * 5)) == (1, pytest.approx(np.log(1000)), 5)
    every = np.stack(np.unravel_index(np.arange(1000), (10, 10, 10)), axis=1)
    assert mode_coverage(every) == (1000, pytest.approx(0, abs=1e-12), 1000)


def test_floor_in_closed_form():
    floor = modes_floor(2600, 100, repeats=200)
    # a likelihood ratio: 2 n KL is approximately chi-squared with 99 degrees of freedom
    assert floor.kl == pytest.approx(99 / 5200, rel=0.03)
    assert floor.kl_std == pytest.approx(np.sqrt(2 * 99) / 5200, rel=0.2)
    frequencies = np.arange(1, 101) / 5050
    floor = modes_floor(50, 100, data=np.arange(1, 101), repeats=400)
    expected = np.sum(1 - (1 - frequencies) ** 50)
    assert abs(floor.covered - expected) < 4 * floor.covered_std / 20
    assert floor == modes_floor(50, 100, data=np.arange(1, 101), repeats=400)
    assert floor != modes_floor(50, 100, data=np.arange(1, 101), repeats=400, seed=1)


def test_stacked_mnist_floor():
    floor = modes_floor(26_000, repeats=20)
    assert floor.covered == pytest.approx(1000, abs=0.5)
    assert floor.kl == pytest.approx(999 / 52_000, rel=0.05)


def test_invalid_classes():
    for wrong in (np.array([0.0, 1.0]), np.zeros((0, 3), int), np.zeros((2, 3, 1), int)):
        with pytest.raises(ValueError, match="Expected integer classes"):
            mode_coverage(wrong)
    with pytest.raises(ValueError, match="from 0 to 9; received 3 to 10"):
        mode_coverage(np.array([3, 10]))
    with pytest.raises(ValueError, match="Expected 10 frequencies"):
        mode_coverage(np.array([3]), data=np.ones(9))
    with pytest.raises(ValueError, match="repeats >= 2"):
        modes_floor(10, repeats=1)
