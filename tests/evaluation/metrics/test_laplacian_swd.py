import tracemalloc

import numpy as np
import pytest
import scipy.integrate
import scipy.ndimage
import scipy.stats

from keras_gen.evaluation.metrics.laplacian_swd import laplacian_pyramid, laplacian_swd, level_heights, upsample


@pytest.fixture(scope="module")
def images():
    noise = np.random.default_rng(0).random((40, 32, 48, 2)).astype(np.float32)
    return scipy.ndimage.gaussian_filter(noise, (0, 1, 1, 0))


def test_levels():
    assert level_heights(64, 64) == [64, 32, 16]
    assert level_heights(28, 28) == [28]
    assert level_heights(48, 96) == [48, 24]
    assert level_heights(36, 50) == [36, 18] and level_heights(36, 51) == [36]
    with pytest.raises(ValueError, match="16 pixels or more; received 64x15"):
        level_heights(64, 15)


def test_a_pyramid_reconstructs_the_images(images):
    fine, coarse = laplacian_pyramid(images)
    assert fine.shape == (40, 32, 48, 2) and coarse.shape == (40, 16, 24, 2)
    np.testing.assert_allclose(fine + upsample(coarse), images, atol=1e-6)


def test_a_pyramid_of_smooth_images():
    rows = np.arange(32, dtype=np.float32)[None, :, None, None] * np.ones((1, 1, 32, 1), np.float32)
    fine, coarse = laplacian_pyramid(np.full((1, 32, 32, 1), 0.3, np.float32))
    np.testing.assert_allclose(fine, 0, atol=1e-6)
    np.testing.assert_allclose(coarse, 0.3, atol=1e-6)
    # the kernel keeps a slope, away from the mirrored border
    fine, coarse = laplacian_pyramid(rows)
    np.testing.assert_allclose(fine[:, 6:-6], 0, atol=1e-5)
    np.testing.assert_allclose(coarse[0, 3:-3, 0, 0], np.arange(6, 26, 2), atol=1e-5)


def test_zero_for_equal_images_and_for_another_contrast(images):
    assert laplacian_swd(images, images, patches=4, projections=16) == {32: 0, 16: 0}
    # patches are normalized by the mean and standard deviation of their dataset
    distances = laplacian_swd(images, 0.5 * images + 0.3, patches=4, projections=16)
    assert max(distances.values()) < 0.01


def test_lost_detail_increases_the_finest_level():
    first, second = np.random.default_rng(0).random((2, 60, 32, 32, 1)).astype(np.float32)
    blurred = scipy.ndimage.gaussian_filter(second, (0, 0.7, 0.7, 0))
    floor, distances = (laplacian_swd(first, other, patches=32, projections=128) for other in (second, blurred))
    assert distances[32] > 1.5 * floor[32]
    assert distances[16] < 1.3 * floor[16]


def test_flat_images_against_noise_in_closed_form():
    # normalized patches: z (1, ..., 1) with z ~ N(0, 1), against N(0, I); a direction theta of 49 dimensions sees
    # N(0, g^2) and N(0, 1), g = sum of theta, g^2 / 49 ~ Beta(1/2, 24); W1 of them = sqrt(2 / pi) ||g| - 1|
    num = 400
    levels = scipy.stats.norm.ppf((np.arange(num) + 0.5) / num).astype(np.float32)
    flat = np.broadcast_to(levels[:, None, None, None], (num, 16, 16, 1))
    noise = np.random.default_rng(0).normal(size=(num, 16, 16, 1)).astype(np.float32)
    distances = laplacian_swd(flat, noise, patches=16, projections=2000)
    beta = scipy.stats.beta(0.5, 24)
    mean = scipy.integrate.quad(lambda u: beta.pdf(u * u) * 2 * u * abs(7 * u - 1), 0, 1, points=[1 / 7])[0]
    # the standard error of the mean over 2,000 directions is 1.7 %
    assert distances == {16: pytest.approx(1000 * np.sqrt(2 / np.pi) * mean, rel=0.06)}


def test_sets_of_different_size(images):
    with pytest.raises(ValueError, match="as many images"):
        laplacian_swd(images, images[:3])


def test_only_one_level_is_in_memory():
    images = np.random.default_rng(0).random((40, 64, 64, 3), np.float32)
    one_set = 40 * 1000 * 3 * 49 * 4
    tracemalloc.start()
    laplacian_swd(images, images, patches=1000, projections=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.6 * one_set  # 2 datasets, and a copy; 5 with the previous level
