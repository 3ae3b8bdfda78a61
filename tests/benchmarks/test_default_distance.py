"""The sets of images of the benchmark of the default scores, with features whose ranking is known."""

import numpy as np
import pytest

from benchmarks.default_distance import blobs, damaged, good, means, order, rank
from keras_gen.evaluation.features.extractors import Features

# the standard deviation of the pixels, and their mean: lower for blurred, and higher for noisy images
SPREAD = Features("spread", "spread", lambda images: np.stack([images.std((1, 2, 3)), images.mean((1, 2, 3))], axis=1))


def textures(num: int, seed: int) -> np.ndarray:
    """Squares of random position, size and brightness."""
    generator = np.random.default_rng(seed)
    images = np.zeros((num, 16, 16, 1), np.float32)
    for image in images:
        top, left = generator.integers(0, 8, 2)
        size = generator.integers(3, 9)
        image[top : top + size, left : left + size] = generator.uniform(0.5, 1)
    return images


def test_blobs_have_the_moments_of_the_images_in_a_few_directions():
    images = textures(400, 0)
    drawn = blobs(images, 500, np.random.default_rng(0))
    assert drawn.shape == (500, 16, 16, 1) and drawn.min() >= 0 and drawn.max() <= 1
    np.testing.assert_allclose(drawn.mean(axis=0), images.mean(axis=0), atol=0.12)
    flat = (drawn - drawn.mean(axis=0)).reshape(500, -1)
    variances = np.linalg.svd(flat, compute_uv=False) ** 2
    # the rest is due to clipping
    assert variances[:8].sum() > 0.8 * variances.sum()


def test_damage():
    images = textures(40, 0)
    slight = good(images, np.random.default_rng(0))
    assert 0.001 < np.abs(slight - images).mean() < 0.03
    kinds = damaged(images, np.random.default_rng(0))
    for degrees in kinds.values():
        assert [each.shape for each in degrees] == [images.shape] * 3
    blur, noise, variety = kinds.values()
    for degrees in (blur, noise):
        errors = [np.abs(each - images).mean() for each in degrees]
        assert errors == sorted(errors)
    assert [len(np.unique(each, axis=0)) for each in variety] == sorted(
        (len(np.unique(each, axis=0)) for each in variety), reverse=True
    )


def test_scores_are_ranked():
    train = textures(300, 2)
    row = rank((textures(200, 1), train), SPREAD(train), SPREAD, seed=0)
    assert (row["images"], row["training_images"]) == (100, 300)
    assert list(row["scores"]) == ["real", "good", "blurred", "noise", "blobs", "copies"]
    scores = row["scores"]
    assert max(scores["real"]["fd"], scores["blurred"]["fd"]) < scores["noise"]["fd"]
    assert scores["copies"]["closer"] > 0.95 > 0.7 > scores["real"]["closer"]
    assert scores["noise"]["precision"] == 0
    averages = means([{"data": "textures", "features": "spread", **row}], "textures", "spread")
    assert averages["real"]["fd"] == pytest.approx(scores["real"]["fd"], abs=1e-4)


def test_distances_are_ordered():
    row = order((textures(300, 1), textures(10, 2)), SPREAD, 100, seed=0)
    assert row["floor"] < row["uniform noise"]
    assert row["ordered"]["blur, 0.7, 1 and 2 pixels"] is True
