import numpy as np
import pytest
import scipy.stats

from keras_gen.evaluation.metrics import sliced_wasserstein as sliced_wasserstein_module
from keras_gen.evaluation.metrics.sliced_wasserstein import nearest_distance, nearest_reference, sliced_wasserstein


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((200, 4, 4, 3)).astype(np.float32)


def test_distance_to_a_permutation_is_zero(images):
    assert sliced_wasserstein(images, images[::-1]) == pytest.approx(0, abs=1e-6)


def test_distance_to_a_shifted_dataset_is_the_shift(images):
    # E[(sum of theta)^2] = 1 on the unit sphere; the relative error with 4,000 directions is 1.1 %
    assert sliced_wasserstein(images + 0.25, images, projections=4000) == pytest.approx(0.25, rel=0.05)


def test_distance_of_two_normals_is_the_difference_of_their_scales():
    # every projection of N(0, s^2 I) is N(0, s^2), and W2 of two of them |s - t|
    generator = np.random.default_rng(0)
    first, second = generator.normal(0, 1, (20_000, 5)), generator.normal(0, 3, (20_000, 5))
    assert sliced_wasserstein(first, second, projections=50) == pytest.approx(2.0, rel=0.02)


def test_result_depends_on_the_seed_and_not_on_the_order_of_arguments(images):
    other = np.clip(images * 1.2, 0, 1)
    value = sliced_wasserstein(images, other, seed=3)
    assert (
        value == sliced_wasserstein(images, other, seed=3) == pytest.approx(sliced_wasserstein(other, images, seed=3))
    )
    assert value != sliced_wasserstein(images, other, seed=4)


def test_datasets_of_different_size(images):
    with pytest.raises(ValueError, match="as many images"):
        sliced_wasserstein(images, images[:10])


def test_nearest_by_hand():
    references = np.array([[0.0, 0.0], [1.0, 1.0]])
    distances = nearest_distance(np.array([[0.1, 0.1], [1.0, 0.4], [1.0, 1.0]]), references)
    np.testing.assert_allclose(distances, [0.1, np.sqrt(0.36 / 2), 0.0], atol=1e-7)


def test_nearest_of_a_copy_is_zero(images):
    assert nearest_distance(images[40:50], images).max() == 0
    assert nearest_distance(images[40:50], np.delete(images, np.s_[40:50], axis=0)).min() > 0.1


def test_nearest_of_another_shape(images):
    with pytest.raises(ValueError, match="one shape"):
        nearest_distance(images, images[:, :3])


def test_order_one_in_one_dimension_equals_scipy():
    # a direction of one dimension is 1 or -1
    generator = np.random.default_rng(0)
    first, second = generator.normal(0, 1, (500, 1)), generator.gamma(2.0, 1.0, (500, 1))
    expected = scipy.stats.wasserstein_distance(first[:, 0], second[:, 0])
    assert sliced_wasserstein(first, second, projections=3, order=1) == pytest.approx(expected, rel=1e-5)


def test_order_two_in_one_dimension_by_hand():
    first, second = np.array([[3.0], [0.0], [1.0]]), np.array([[1.0], [5.0], [2.0]])
    assert sliced_wasserstein(first, second, projections=2) == pytest.approx(np.sqrt((1 + 1 + 4) / 3))
    assert sliced_wasserstein(first, second, projections=2, order=1) == pytest.approx(4 / 3)


def test_few_directions_per_pass(images, monkeypatch):
    full = sliced_wasserstein(images + 0.25, images, projections=1500)
    monkeypatch.setattr(sliced_wasserstein_module, "VALUES_PER_PASS", 7 * len(images))
    assert sliced_wasserstein(images + 0.25, images, projections=1500) == pytest.approx(full, rel=0.1)


def test_an_invalid_order_is_refused(images):
    with pytest.raises(ValueError, match="Expected order 1 or 2; received 3"):
        sliced_wasserstein(images, images, order=3)


def test_nearest_reference_by_hand():
    references = np.array([[0.0, 0.0], [1.0, 1.0]])
    indices, distances = nearest_reference(np.array([[0.9, 1.0], [0.1, 0.0]]), references)
    assert list(indices) == [1, 0]
    np.testing.assert_allclose(distances, np.sqrt(0.01 / 2), rtol=1e-5)
