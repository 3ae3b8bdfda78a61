"""The text-image scorer: training, caching and seeds."""

import numpy as np
import pytest

from keras_gen.evaluation.features.text_image_scorer import train_text_image_scorer
from keras_gen.evaluation.metrics.r_precision import r_precision
from keras_gen.models.text2image.preset import joint_embedding

WORDS = ("dark", "bright", "left", "right")
QUICK = {"steps": 60, "batch_size": 16, "learning_rate": 5e-3}


def examples(num: int, seed: int):
    """Returns images with a dark or bright half, and captions that name the half and its brightness."""
    generator = np.random.default_rng(seed)
    side, bright = generator.integers(2, size=(2, num))
    images = 0.5 + 0.05 * generator.normal(size=(num, 8, 8, 1))
    for row in range(num):
        images[row, :, 4 * side[row] : 4 * side[row] + 4] += bright[row] - 0.5
    tokens = np.stack([2 + bright, 4 + side, np.zeros_like(side)], axis=1)
    return np.clip(images, 0, 1).astype(np.float32), tokens, 2 * bright + side


def train(folder, seed: int, settings=QUICK):
    images, tokens, _ = examples(64, seed=0)
    scorer = joint_embedding(images.shape[1:], seed, vocabulary=WORDS, length=tokens.shape[1])
    return train_text_image_scorer(scorer, images, tokens, seed=seed, folder=folder, settings=settings)


@pytest.fixture
def scorer(tmp_path):
    return train(tmp_path, seed=3)


def test_scorer_distinguishes_captions(scorer):
    images, tokens, classes = examples(80, seed=1)
    scores = scorer.score(scorer.embed_image(images)[:, None], scorer.embed(tokens)[None]).numpy()
    assert r_precision(scores, classes, candidates=10).value > 0.95


def test_scorer_is_cached(scorer, tmp_path, monkeypatch):
    monkeypatch.setattr(type(scorer), "fit", lambda *_, **__: pytest.fail("trained again"))
    again = train(tmp_path, seed=3)
    for value, other in zip(scorer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(value, other)
    with pytest.raises(BaseException, match="trained again"):
        train(tmp_path, seed=4)


def test_unknown_settings(tmp_path):
    with pytest.raises(ValueError, match="Expected settings from version, steps, .*; received epochs"):
        train(tmp_path, seed=0, settings={"epochs": 1})
