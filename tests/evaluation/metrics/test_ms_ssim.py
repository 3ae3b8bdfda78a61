import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_gen.evaluation.metrics.ms_ssim import ms_ssim, pair_similarity, scales_of


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((12, 24, 24, 3)).astype(np.float32)


def test_scales():
    sizes = (11, 20, 21, 28, 40, 41, 64, 80, 81, 128, 160, 161, 1024)
    assert [scales_of(size, 300) for size in sizes] == [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5]
    with pytest.raises(ValueError, match="11 pixels or more; received 8x300"):
        scales_of(8, 300)


def test_equal_images_give_one(images):
    np.testing.assert_allclose(ms_ssim(images, images), 1.0, atol=1e-5)


def test_flat_images_by_hand():
    # no structure: only the luminance of the coarsest scale, to the power of its weight among two; float32 leaves
    # 1e-7 of a variance next to the constant 9e-4
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    similarity = ms_ssim(np.full((1, 28, 28, 1), 0.2), np.full((1, 28, 28, 1), 0.6))
    assert similarity == pytest.approx([luminance ** (0.2856 / (0.0448 + 0.2856))], rel=5e-4)


def test_one_scale_is_ssim(images):
    first, second = images[:6, :20, :20], 0.7 * images[:6, :20, :20] + 0.3 * images[6:, :20, :20]
    np.testing.assert_allclose(ms_ssim(first, second), tf.image.ssim(first, second, 1.0), rtol=1e-5)


def by_numpy(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Computes MS-SSIM of gray images [num, height, width] like Wang's program, which pads symmetrically to halve."""
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[: scales_of(*first.shape[1:])]
    window = np.exp(-0.5 * (np.arange(11) - 5) ** 2 / 1.5**2)

    def blur(values):
        for axis in (1, 2):
            values = scipy.ndimage.convolve1d(values, window / window.sum(), axis=axis)
        return values[:, 5:-5, 5:-5]

    def halve(values):
        values = np.pad(values, [(0, 0), *((0, size % 2) for size in values.shape[1:])], "symmetric")
        return 0.25 * sum(values[:, i::2, j::2] for i in (0, 1) for j in (0, 1))

    product = np.ones(len(first))
    for scale, weight in enumerate(weights / weights.sum()):
        means = blur(first), blur(second)
        variances = blur(first**2) - means[0] ** 2, blur(second**2) - means[1] ** 2
        covariance = blur(first * second) - means[0] * means[1]
        terms = (2 * covariance + 9e-4) / (sum(variances) + 9e-4)
        if scale == len(weights) - 1:
            terms *= (2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4)
        product = product * terms.mean((1, 2)) ** weight
        first, second = halve(first), halve(second)
    return product


@pytest.mark.parametrize("height, width", [(21, 21), (28, 28), (23, 25), (41, 50), (81, 43)])
def test_odd_sizes_are_rounded_up(height, width):
    noise = np.random.default_rng(height).random((2, 3, height, width))
    first, other = scipy.ndimage.gaussian_filter(noise, (0, 0, 1, 1))
    second = 0.7 * first + 0.3 * other
    similarity = ms_ssim(first[..., None].astype(np.float32), second[..., None].astype(np.float32))
    # float32 variances of smooth patches, next to the constant 9e-4
    np.testing.assert_allclose(similarity, by_numpy(first, second), rtol=2e-4)


def test_collapse_gives_one_and_noise_less(images):
    collapsed = pair_similarity(np.repeat(images[:1], 10, axis=0))
    assert collapsed == (pytest.approx(1.0, abs=1e-5), pytest.approx(0, abs=1e-5), 2, 5)
    assert pair_similarity(images).value < 0.3


def test_pairs_share_no_image():
    # ten flat images in five pairs, none twice
    levels = np.linspace(0.1, 1.0, 10, dtype=np.float32)
    images = np.broadcast_to(levels[:, None, None, None], (10, 16, 16, 1))
    order = np.random.Generator(np.random.Philox(key=4)).permutation(10)
    assert sorted(order) == list(range(10))
    a, b = levels[order[:5]], levels[order[5:]]
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    similarity = pair_similarity(images, seed=4)
    assert similarity.value == pytest.approx(expected.mean(), rel=5e-4)
    assert similarity.error == pytest.approx(expected.std(ddof=1) / np.sqrt(5), rel=1e-3)
    assert pair_similarity(images, seed=4, pairs=3).pairs == 3


def test_too_few_images(images):
    with pytest.raises(ValueError, match="4 or more images"):
        pair_similarity(images[:3])
    with pytest.raises(ValueError, match="as many images"):
        ms_ssim(images, images[:3])
