import numpy as np
import pytest
import scipy.stats

from keras_gen import data
from keras_gen.evaluation.metrics.dequantization import cell_nats, dequantize, likelihood_mismatch, pixel_support

BINARY = np.array([0, 1, 1, 0], np.float32)
LEVELS = (np.arange(256) / 255).astype(np.float32)
BETWEEN = np.array([0, 0.5, 1], np.float32)  # 127.5 / 255


def test_uniform_noise_in_the_cell_of_each_level():
    levels = np.repeat(np.arange(256), 40).reshape(-1, 2, 2, 1)
    shifted = dequantize((levels / 255).astype(np.float32), seed=0).numpy()
    # float32 may round the last value of a cell to its upper limit
    assert np.all(shifted * 256 >= levels) and np.all(shifted * 256 <= levels + 1)
    assert scipy.stats.kstest((shifted.astype(np.float64) * 256 - levels).ravel(), "uniform").pvalue > 1e-3


def test_parts_and_seeds_have_different_noise():
    image = np.zeros((2, 4, 4, 1), np.float32)
    first = dequantize(image, 3, 1)
    np.testing.assert_array_equal(first, dequantize(image, 3, 1))
    assert np.abs(first - dequantize(image, 3, 2)).max() > 0
    assert np.abs(first - dequantize(image, 4, 1)).max() > 0


def test_cells_of_image_levels():
    assert cell_nats((2, 2, 1)) == pytest.approx(4 * np.log(256))


@pytest.mark.parametrize("images, support", [(BINARY, "binary"), (LEVELS, "8-bit"), (BETWEEN, "continuous")])
def test_pixel_support(images, support):
    assert pixel_support(images) == support


def test_resized_images_are_rounded_to_levels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 24, 20, 3), np.uint8)
    np.savez(tmp_path / "a.npz", x=images)
    batch = next(iter(data.load(tmp_path / "a.npz", image_shape=(8, 8, 3), batch_size=20)))
    assert pixel_support(batch["image"].numpy()) == "8-bit"


@pytest.mark.parametrize(
    "support, images, reason",
    [
        ("binary", BINARY, None),
        ("binary", LEVELS, "99.2% of the pixels are neither 0 nor 1"),
        ("8-bit", BINARY, None),
        ("8-bit", LEVELS, None),
        ("8-bit", BETWEEN, "values in between"),
        ("continuous", LEVELS, None),
        ("continuous", BETWEEN, "dequantization"),
    ],
)
def test_heads_and_pixel_supports_that_match(support, images, reason):
    mismatch = likelihood_mismatch(support, images)
    assert mismatch is None if reason is None else mismatch is not None and reason in mismatch
