import numpy as np
import pytest
import scipy.stats

from keras_gen.evaluation.metrics.memorization import nearest_neighbors


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((900, 3, 3, 1)).astype(np.float32)


def test_by_hand():
    train = np.array([[0.0], [1.0]])
    found = nearest_neighbors(np.array([[0.1], [0.7], [1.5]]), train, np.array([[0.3], [1.3], [1.4]]))
    assert list(found.indices) == [0, 1, 1]
    np.testing.assert_allclose(found.distances, [0.1, 0.3, 0.5], atol=1e-6)
    np.testing.assert_allclose(found.held_out, [0.3, 0.3, 0.4], atol=1e-6)
    assert found.ratio == pytest.approx(1.0, rel=1e-5)


def test_new_images_are_as_far_as_held_out_ones(images):
    found = nearest_neighbors(images[:300], images[300:600], images[600:])
    assert abs(found.closer - 0.5) < 3 * found.closer_error
    assert found.ratio == pytest.approx(1.0, abs=0.1)
    expected = scipy.stats.mannwhitneyu(found.held_out, found.distances).statistic / 300**2
    assert found.closer == pytest.approx(expected)


def test_copies(images):
    found = nearest_neighbors(images[300:500], images[300:600], images[600:])
    assert (found.closer, found.ratio) == (1.0, 0.0)
    assert np.array_equal(found.indices, np.arange(200))
    half = nearest_neighbors(np.concatenate([images[300:500], images[:200]]), images[300:600], images[600:])
    assert half.closer == pytest.approx(0.75, abs=0.05)


def test_ties_count_half():
    copies = np.zeros((4, 2))
    assert nearest_neighbors(copies, copies, np.array([[0.0, 0.0], [1.0, 1.0]])).closer == pytest.approx(0.75)


def test_the_error_is_the_deviation_under_chance():
    generator = np.random.default_rng(0)
    found = [nearest_neighbors(*generator.random((3, 40, 2))) for _ in range(200)]
    # the training set is shared within a repeat, which adds nothing to a rank of equally distributed distances
    assert np.std([result.closer for result in found]) == pytest.approx(found[0].closer_error, rel=0.2)


def test_an_empty_set(images):
    with pytest.raises(ValueError, match="received 10, 0, 900"):
        nearest_neighbors(images[:10], images[:0], images)


def test_blocks_give_what_all_training_images_give(images):
    train, blocks = images[:500], (images[start : min(start + 70, 500)] for start in range(0, 500, 70))
    whole, found = (nearest_neighbors(images[450:700], each, images[700:]) for each in (train, blocks))
    for one, other in zip(whole, found, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.nearest, train[found.indices])
    assert found.train == 500


def test_without_held_out_images(images):
    found = nearest_neighbors(images[:5], images[5:])
    assert found.held_out is None and found.closer is None and (found.distances > 0).all()
