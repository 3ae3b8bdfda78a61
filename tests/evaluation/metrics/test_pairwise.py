import numpy as np
import pytest
import scipy.spatial.distance

from keras_gen.evaluation.metrics import pairwise


def collect(rows, references):
    parts = list(pairwise.squared_distances(rows, references))
    return np.concatenate([distances for _, distances in parts]), parts


@pytest.fixture
def sets():
    generator = np.random.default_rng(0)
    return generator.normal(size=(57, 6)).astype(np.float32), generator.normal(size=(43, 6)).astype(np.float32)


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_equals_scipy_for_any_block_size(monkeypatch, sets, offset):
    monkeypatch.setattr(pairwise, "PAIRS", 430)
    monkeypatch.setattr(pairwise, "COLUMNS", 20)
    first, second = sets[0] + np.float32(offset), sets[1] + np.float32(offset)
    expected = scipy.spatial.distance.cdist(first.astype(float), second.astype(float), "sqeuclidean")
    distances, parts = collect(first, second)
    assert [rows.stop - rows.start for rows, _ in parts] == [10, 10, 10, 10, 10, 7]
    np.testing.assert_allclose(distances, expected, rtol=1e-9)


def test_copies_have_distance_zero_and_close_rows_do_not(sets):
    first = sets[0] + np.float32(100)
    distances, _ = collect(first, np.concatenate([first, first + np.float32(1e-3)]))
    assert np.array_equal(np.diagonal(distances), np.zeros(57))
    # 1e-3 is 130 float32 steps at 100, so the shift is rounded
    np.testing.assert_allclose(np.diagonal(distances[:, 57:]), 6e-6, rtol=0.05)
