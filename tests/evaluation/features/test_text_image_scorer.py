"""The judge of captions: learns, is kept, and is the same of the same seed."""

import numpy as np
import pytest

from keras_gen.evaluation.features.text_image_scorer import text_judge
from keras_gen.evaluation.metrics.r_precision import r_precision

WORDS = ("dark", "bright", "left", "right")
QUICK = {"steps": 60, "batch_size": 16, "learning_rate": 5e-3}


def examples(num: int, seed: int):
    """One half of each image is dark or bright, and the caption says which and how."""
    generator = np.random.default_rng(seed)
    side, bright = generator.integers(2, size=(2, num))
    images = 0.5 + 0.05 * generator.normal(size=(num, 8, 8, 1))
    for row in range(num):
        images[row, :, 4 * side[row] : 4 * side[row] + 4] += bright[row] - 0.5
    tokens = np.stack([2 + bright, 4 + side, np.zeros_like(side)], axis=1)
    return np.clip(images, 0, 1).astype(np.float32), tokens, 2 * bright + side


@pytest.fixture
def judge(tmp_path):
    images, tokens, _ = examples(64, seed=0)
    return text_judge(images, tokens, vocabulary=WORDS, seed=3, folder=tmp_path, settings=QUICK)


def test_it_tells_what_it_was_trained_to_tell(judge):
    images, tokens, meaning = examples(80, seed=1)
    scores = judge.score(judge.embed_image(images)[:, None], judge.embed(tokens)[None]).numpy()
    assert r_precision(scores, meaning, candidates=10).value > 0.95


def test_it_is_kept(judge, tmp_path, monkeypatch):
    images, tokens, _ = examples(64, seed=0)
    monkeypatch.setattr(type(judge), "fit", lambda *_, **__: pytest.fail("trained again"))
    again = text_judge(images, tokens, vocabulary=WORDS, seed=3, folder=tmp_path, settings=QUICK)
    for value, other in zip(judge.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(value, other)
    with pytest.raises(BaseException, match="trained again"):
        text_judge(images, tokens, vocabulary=WORDS, seed=4, folder=tmp_path, settings=QUICK)


def test_unknown_settings():
    with pytest.raises(ValueError, match="Unknown settings epochs; known: version, steps"):
        text_judge(np.zeros((2, 8, 8, 1)), np.ones((2, 3)), vocabulary=WORDS, seed=0, settings={"epochs": 1})
