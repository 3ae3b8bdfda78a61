import numpy as np
import pytest

from keras_gen import data
from keras_gen.evaluation.metrics.pixel_support import likelihood_mismatch, pixel_support

BINARY = np.array([0, 1, 1, 0], np.float32)
LEVELS = (np.arange(256) / 255).astype(np.float32)
BETWEEN = np.array([0, 0.5, 1], np.float32)  # 127.5 / 255


@pytest.mark.parametrize("images, kind", [(BINARY, "binary"), (LEVELS, "8-bit"), (BETWEEN, "continuous")])
def test_kinds(images, kind):
    assert pixel_support(images) == kind


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
def test_a_head_is_a_likelihood_of_its_kind(support, images, reason):
    given = likelihood_mismatch(support, images)
    assert given is None if reason is None else reason in given
