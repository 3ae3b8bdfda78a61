import numpy as np
import pytest
import scipy.ndimage

from benchmarks.random_conv import random_conv_distance, random_conv_features
from tests.evaluation.toys import blobs


def discs(num: int, seed: int) -> np.ndarray:
    return blobs(num, seed)[0] / np.float32(255)


def test_known_features():
    image = np.linspace(0, 1, 4 * 6 * 3, dtype=np.float32).reshape(1, 4, 6, 3)
    values = random_conv_features(image)[0]
    assert values.shape == (64 + 4 * 3,) and (values[:64] >= 0).all()
    # the mean color of each quarter, in [-1, 1]
    np.testing.assert_allclose(
        values[64:].reshape(2, 2, 3), 2 * image.reshape(2, 2, 2, 3, 3).mean((1, 3)) - 1, atol=1e-5
    )
    np.testing.assert_allclose(values[:64:16], [0.023577, 0.218036, 0.000000, 0.455837], rtol=1e-4)
    # only edges and texture: invariant to added gray levels
    np.testing.assert_allclose(
        random_conv_features(0.5 * image + 0.4)[0, :64], random_conv_features(0.5 * image)[0, :64], atol=1e-5
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 2), (32, 32, 3), (40, 12, 4)])
@pytest.mark.parametrize("num", [2, 3, 50])
def test_distances_of_unusual_images_are_finite(shape, num):
    first, second = np.random.default_rng(0).random((2, num, *shape)).astype(np.float32)
    assert 0 < random_conv_distance(first, second) < 1000
    assert random_conv_distance(first, first) == pytest.approx(0, abs=1e-8)
    flat = np.zeros_like(first)
    assert np.isfinite(random_conv_distance(first, flat)) and random_conv_distance(flat, flat) == 0


def test_worse_images_have_larger_distances():
    real, other, base = discs(300, 0), discs(300, 1), discs(300, 2)
    noise = np.random.default_rng(3).standard_normal(base.shape).astype(np.float32)
    sets = {
        "real": other,
        "slightly blurred": scipy.ndimage.gaussian_filter(base, (0, 0.5, 0.5, 0)),
        "blurred": scipy.ndimage.gaussian_filter(base, (0, 1.0, 1.0, 0)),
        "noise": np.clip(0.5 + noise, 0, 1),
    }
    values = [random_conv_distance(images, real) for images in sets.values()]
    assert values == sorted(values) and values[1] > 2 * values[0]
    few = [random_conv_distance(base[: 300 // n].repeat(n, axis=0), real) for n in (1, 20, 100)]
    assert few == sorted(few) and few[2] > 3 * few[0]  # too little diversity
    slight, strong = (random_conv_distance(np.clip(base + scale * noise, 0, 1), real) for scale in (0.05, 0.2))
    assert values[0] < slight < strong < values[-1]
