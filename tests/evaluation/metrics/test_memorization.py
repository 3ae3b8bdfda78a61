import numpy as np
import pytest
import scipy.stats

from keras_gen.evaluation.metrics.memorization import nearest_neighbors


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((900, 3, 3, 1)).astype(np.float32)


def test_by_hand():
    train = np.array([[0.0], [1.0]])
    neighbors = nearest_neighbors(np.array([[0.1], [0.7], [1.5]]), train, np.array([[0.3], [1.3], [1.4]]))
    assert list(neighbors.indices) == [0, 1, 1]
    np.testing.assert_allclose(neighbors.distances, [0.1, 0.3, 0.5], atol=1e-6)
    assert neighbors.held_out is not None
    np.testing.assert_allclose(neighbors.held_out, [0.3, 0.3, 0.4], atol=1e-6)
    assert neighbors.ratio == pytest.approx(1.0, rel=1e-5)


def test_new_images_have_the_distances_of_held_out_ones(images):
    neighbors = nearest_neighbors(images[:300], images[300:600], images[600:])
    assert neighbors.closer is not None and neighbors.closer_error is not None
    assert abs(neighbors.closer - 0.5) < 3 * neighbors.closer_error
    assert neighbors.ratio == pytest.approx(1.0, abs=0.1)
    expected = scipy.stats.mannwhitneyu(neighbors.held_out, neighbors.distances).statistic / 300**2
    assert neighbors.closer == pytest.approx(expected)


def test_copies(images):
    neighbors = nearest_neighbors(images[300:500], images[300:600], images[600:])
    assert (neighbors.closer, neighbors.ratio) == (1.0, 0.0)
    assert np.array_equal(neighbors.indices, np.arange(200))
    half = nearest_neighbors(np.concatenate([images[300:500], images[:200]]), images[300:600], images[600:])
    assert half.closer == pytest.approx(0.75, abs=0.05)


def test_ties_count_half():
    copies = np.zeros((4, 2))
    assert nearest_neighbors(copies, copies, np.array([[0.0, 0.0], [1.0, 1.0]])).closer == pytest.approx(0.75)


def test_standard_error_without_memorization():
    generator = np.random.default_rng(0)
    repeats = [nearest_neighbors(*generator.random((3, 40, 2))) for _ in range(200)]
    # the shared training images of a repeat do not add to the variance of ranks of identically distributed distances
    assert np.std([result.closer for result in repeats]) == pytest.approx(repeats[0].closer_error, rel=0.2)


def test_an_empty_dataset_is_refused(images):
    with pytest.raises(ValueError, match="received 10, 0, 900"):
        nearest_neighbors(images[:10], images[:0], images)


def test_blocks_give_the_result_of_all_training_images(images):
    train, blocks = images[:500], (images[start : min(start + 70, 500)] for start in range(0, 500, 70))
    full, neighbors = (nearest_neighbors(images[450:700], each, images[700:]) for each in (train, blocks))
    for one, other in zip(full, neighbors, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(neighbors.nearest, train[neighbors.indices])
    assert neighbors.train == 500


def test_distances_in_features(images):
    """The mean of an image's pixels as its only feature."""
    train, means = images[:50], images.mean(axis=(1, 2, 3))
    neighbors = nearest_neighbors(images[50:60], train, extract=lambda batch: batch.mean(axis=(1, 2, 3))[:, None])
    differences = np.abs(means[50:60, None] - means[:50])
    np.testing.assert_array_equal(neighbors.indices, differences.argmin(axis=1))
    np.testing.assert_allclose(neighbors.distances, differences.min(axis=1), atol=1e-6)
    np.testing.assert_array_equal(neighbors.nearest, train[neighbors.indices])  # images, not features


def test_without_held_out_images(images):
    neighbors = nearest_neighbors(images[:5], images[5:])
    assert neighbors.held_out is None and neighbors.closer is None and (neighbors.distances > 0).all()
