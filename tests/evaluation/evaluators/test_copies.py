import numpy as np
import pytest

from keras_gen.evaluation import copy_scores


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((150, 4, 4, 1)).astype(np.float32)


def test_copies_and_new_images(images):
    train, held_out = images[:50], images[50:100]
    metrics, about = copy_scores(train[::-1], train, held_out)
    assert list(metrics) == ["nearest_pixels_50_train", "nearest_pixels_50_train_floor", "closer_pixels_50_train"]
    nearest, floor, closer = metrics.values()
    assert nearest == 0 and floor > 0.1 and closer == 1
    metrics, about = copy_scores(images[100:], train, held_out, split="validation")
    chance = about["closer_pixels_50_train"]
    assert abs(metrics["closer_pixels_50_train"] - 0.5) < 4 * chance["standard_error"]
    assert "a validation image" in chance["note"]


def test_by_hand():
    made, train, held_out = (np.reshape(values, (-1, 1, 1, 1)) for values in ([0.1, 0.7], [0.0, 1.0], [0.4, 0.2]))
    metrics, _ = copy_scores(made, train, held_out)
    # distances .1 and .3 against .4 and .2: closer in 3 of 4 pairs
    assert list(metrics.values()) == pytest.approx([0.2, 0.3, 0.75])


def test_without_held_out_images(images):
    metrics, about = copy_scores(images[:20], images[20:], None, split="train")
    assert metrics["nearest_pixels_20_train"] > 0 and metrics["closer_pixels_20_train"] is None
    assert "train split are not held out" in about["nearest_pixels_20_train_floor"]["reason"]
