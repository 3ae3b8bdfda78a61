import numpy as np
import pytest

from keras_gen.evaluation import nearest_distance, sliced_wasserstein


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((200, 4, 4, 3)).astype(np.float32)


def test_of_a_set_to_itself_in_another_order(images):
    assert sliced_wasserstein(images, images[::-1]) == pytest.approx(0, abs=1e-6)


def test_of_a_shifted_set_is_the_shift(images):
    # E[(sum of theta)^2] = 1 on the unit sphere; the relative error with 4,000 directions is 1.1 %
    assert sliced_wasserstein(images + 0.25, images, projections=4000) == pytest.approx(0.25, rel=0.05)


def test_of_two_normals_is_the_difference_of_their_scales():
    # every projection of N(0, s^2 I) is N(0, s^2), and W2 of two of them |s - t|
    generator = np.random.default_rng(0)
    first, second = generator.normal(0, 1, (20_000, 5)), generator.normal(0, 3, (20_000, 5))
    assert sliced_wasserstein(first, second, projections=50) == pytest.approx(2.0, rel=0.02)


def test_the_seed_decides_and_order_of_arguments_does_not(images):
    other = np.clip(images * 1.2, 0, 1)
    value = sliced_wasserstein(images, other, seed=3)
    assert (
        value == sliced_wasserstein(images, other, seed=3) == pytest.approx(sliced_wasserstein(other, images, seed=3))
    )
    assert value != sliced_wasserstein(images, other, seed=4)


def test_sets_of_different_size(images):
    with pytest.raises(ValueError, match="as many images"):
        sliced_wasserstein(images, images[:10])


def test_nearest_by_hand():
    references = np.array([[0.0, 0.0], [1.0, 1.0]])
    found = nearest_distance(np.array([[0.1, 0.1], [1.0, 0.4], [1.0, 1.0]]), references)
    np.testing.assert_allclose(found, [0.1, np.sqrt(0.36 / 2), 0.0], atol=1e-7)


def test_nearest_of_a_copy_is_zero(images):
    assert nearest_distance(images[40:50], images).max() == 0
    assert nearest_distance(images[40:50], np.delete(images, np.s_[40:50], axis=0)).min() > 0.1


def test_nearest_of_another_shape(images):
    with pytest.raises(ValueError, match="one shape"):
        nearest_distance(images, images[:, :3])
