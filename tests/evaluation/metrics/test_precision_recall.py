import numpy as np
import pytest

from keras_gen.evaluation.metrics import pairwise
from keras_gen.evaluation.metrics.precision_recall import precision_recall, squared_radii
from tests.evaluation.features.peer_features import peer_features


def clusters(modes, num: int, seed: int) -> np.ndarray:
    """Returns points around (100 i, 0) for each mode i."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.normal(size=(num, 2)) + [100.0 * mode, 0.0] for mode in modes])


def test_equals_prdc():
    # prdc 0.2, compute_prdc(real, generated, nearest_k)
    real, generated = peer_features()
    assert precision_recall(real, generated, density_neighbors=3) == pytest.approx((0.905, 0.755, 1.11833333, 0.81))
    assert precision_recall(real, generated, neighbors=5) == pytest.approx((0.96, 0.83, 1.136, 0.935))


def test_by_hand():
    # distances to the nearest neighbor: 2 for the real -1 and 1, 4 for 5; 1 for the generated 3 and 4, 36 for 40
    real, generated = np.array([[-1.0], [1.0], [5.0]]), np.array([[3.0], [4.0], [40.0]])
    np.testing.assert_allclose(squared_radii(real, (1, 2)), [[4, 4, 16], [36, 16, 36]])
    result = precision_recall(real, generated, neighbors=1, density_neighbors=1)
    # the ball of 1, -1 .. 3, contains 3 on its boundary, 1 .. 9 contains 3 and 4, and that of -1 nothing;
    # 5 lies on the border of 3 .. 5, the ball of 4, the other two in none
    assert result == pytest.approx((2 / 3, 1 / 3, 3 / 3, 2 / 3))


def test_identical_datasets_for_any_block_size(monkeypatch):
    values = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32) + 50
    expected = (1.0, 1.0, 6 / 5, 1.0)  # a ball contains its center and its 5 neighbors
    assert precision_recall(values, values[::-1]) == pytest.approx(expected)
    monkeypatch.setattr(pairwise, "PAIRS", 700)
    assert precision_recall(values, values[::-1]) == pytest.approx(expected)


def test_disjoint_datasets():
    assert precision_recall(clusters([0], 50, 0), clusters([1], 50, 1)) == (0, 0, 0, 0)


def test_dropped_modes_cost_recall_and_coverage_and_not_precision():
    real = clusters([0, 1, 2, 3], 100, 0)
    full, dropped = (precision_recall(real, clusters(m, 400 // len(m), 1)) for m in ([0, 1, 2, 3], [0, 1]))
    assert dropped.precision > 0.8 and abs(dropped.precision - full.precision) < 0.1
    assert full.recall > 0.8 and dropped.recall <= 0.5
    assert full.coverage > 0.9 and dropped.coverage <= 0.5


def test_invented_modes_cost_precision_and_not_recall():
    real, generated = clusters([0, 1], 200, 0), clusters([0, 1, 2, 3], 100, 1)
    result = precision_recall(real, generated)
    assert result.precision <= 0.5 and result.density < 0.6
    assert result.recall > 0.8


def test_a_collapse_onto_one_real_image():
    real = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    result = precision_recall(real, np.repeat(real[7:8], 100, axis=0))
    assert (result.precision, result.recall) == (1.0, 0.01)


def test_expected_density_and_coverage_of_one_distribution():
    generator = np.random.default_rng(0)
    repeats = [precision_recall(generator.normal(size=(60, 2)), generator.normal(size=(90, 2))) for _ in range(100)]
    i = np.arange(1, 6)
    expected = 1 - np.prod((60 - i) / (90 + 60 - i))
    coverage, density = (np.array([getattr(each, name) for each in repeats]) for name in ("coverage", "density"))
    assert abs(coverage.mean() - expected) < 4 * coverage.std() / 10
    assert abs(density.mean() - 1.0) < 4 * density.std() / 10


def test_options_out_of_range():
    values = np.zeros((5, 2))
    with pytest.raises(ValueError, match="at least 6"):
        precision_recall(values, values)
    with pytest.raises(ValueError, match="neighbors >= 1"):
        precision_recall(values, values, neighbors=0)
