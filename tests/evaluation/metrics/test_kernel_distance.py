import numpy as np
import pytest

from keras_gen.evaluation.metrics.kernel_distance import kernel_distance, squared_discrepancy
from tests.evaluation.features.peer_features import peer_features


def test_by_hand():
    # k(x, y) = (x y + 1)^3: within 0, 1: 1; within 1, 2: 27; across: (1 + 1 + 8 + 27) / 4
    assert squared_discrepancy(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_equals_torch_fidelity_and_clean_fid():
    # torch-fidelity 0.4.0, metric_kid.mmd2 of kernel_poly (degree 3, gamma None, coef0 1): 0.27672459073757816;
    # clean-fid 0.1.35, fid.kernel_distance with one subset of all 200: 0.27672459073757805
    assert squared_discrepancy(*peer_features()) == pytest.approx(0.27672459073757816, rel=1e-12)


def test_blocks_and_sets_of_different_size():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(1500, 2)), generator.normal(size=(40, 2)) + 0.5
    cube = (first @ first.T / 2 + 1) ** 3, (second @ second.T / 2 + 1) ** 3, (first @ second.T / 2 + 1) ** 3
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in cube[:2]]
    assert squared_discrepancy(first, second) == pytest.approx(sum(within) - 2 * cube[2].mean(), rel=1e-9)


def test_unbiased_with_the_standard_deviation_of_its_value():
    generator = np.random.default_rng(0)
    repeats = []
    for seed in range(200):
        first, second = generator.normal(size=(2, 60, 3))
        repeats.append((kernel_distance(first, second, seed=seed), kernel_distance(first, second + 0.7, seed=seed)))
    same, shifted = ([pair[i] for pair in repeats] for i in (0, 1))
    for results, expected in ((same, 0.0), (shifted, expected_of_shift(0.7))):
        values = np.array([result.value for result in results])
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(200)
        # with 200 repeats of 9 degrees of freedom, the standard error of the ratio is about 6 %
        claimed = np.sqrt(np.mean([result.error**2 for result in results]))
        assert claimed == pytest.approx(values.std(), rel=0.2)
    assert min(result.value for result in same) < 0


def expected_of_shift(shift: float, size: int = 3) -> float:
    """Returns the squared discrepancy of N(0, I) and N(shift, I) under (x . y / size + 1)^3.

    E k = 1 + 3 E u + 3 E u^2 + E u^3 with u = x . y / size; the discrepancy compares means, second and third moments:
    it is the sum over the powers of the squared difference of moment tensors, with 1, 3, 3, 1 and 1 / size^power.
    """
    m = np.full(size, shift)
    eye = np.eye(size)
    third = np.einsum("i,j,k->ijk", m, m, m)
    third += sum(np.einsum(pairing, m, eye) for pairing in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk"))
    return sum(
        factor * np.sum(np.square(moment)) / size**power
        for power, factor, moment in ((1, 3, m), (2, 3, np.outer(m, m)), (3, 1, third))
    )


def test_too_few_samples():
    values = np.zeros((19, 2))
    with pytest.raises(ValueError, match="at least 20"):
        kernel_distance(values, values)
    with pytest.raises(ValueError, match="subsets >= 2"):
        kernel_distance(values, values, subsets=1)
