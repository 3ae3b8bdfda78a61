"""The comparison of StarGAN's classifiers: its measures by hand, and a run from the training to the result."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import record, stargan, stargan_classifier
from keras_gen.runs import read_json

LEVELS = (0.2, 0.5, 0.8)  # gray levels of three domains, of which the training images have 20, 30 and 50 %


def gray(args=None, size: int = 8, validation: bool = False) -> stargan.Domains:
    """Returns noisy gray images, and four held-out ones in every domain."""
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], [20, 30, 50])
    train = np.float32(LEVELS)[labels][:, None, None, None] + rng.uniform(0, 0.1, (100, size, size, 1))
    held_out = np.float32(LEVELS)[None, :, None, None, None] + rng.uniform(0, 0.1, (4, 1, size, size, 1))
    return stargan.Domains(("dark", "gray", "light"), (np.float32(train), labels), np.float32(held_out))


class Model:
    """A model that always answers one class, and translates by a fraction of the difference between the levels."""

    def __init__(self, answer: int, fraction: float = 1.0):
        self.answer, self.fraction = answer, fraction

    def classify(self, images):
        return tf.one_hot([self.answer] * len(images), 3)

    def translate(self, images, vectors):
        levels = np.float32(LEVELS)
        source = np.abs(images.mean((1, 2, 3))[:, None] - levels - 0.05).argmin(1)
        change = (np.asarray(vectors) @ levels - levels[source])[:, None, None, None]
        return np.float32(images + self.fraction * change)


@pytest.mark.parametrize("answer, share", [(0, 0.2), (1, 0.3), (2, 0.5)])
def test_an_answer_that_is_always_the_same_is_right_for_the_share_of_its_domain(answer, share):
    assert stargan_classifier.own_accuracy(Model(answer), gray()) == pytest.approx(share)


@pytest.mark.parametrize("fraction", [1.0, 0.0])
def test_measures_by_hand(fraction):
    class Nearest:
        def error(self, images, labels):
            return np.mean(np.abs(images.mean((1, 2, 3))[:, None] - np.float32(LEVELS) - 0.05).argmin(1) != labels)

    result = stargan_classifier.measure(Model(0, fraction), gray(), Nearest())
    assert result["translated"] == fraction  # unchanged images are never their target
    assert result["counterfactual_ratio"] == pytest.approx(1 - fraction, abs=1e-5)
    assert result["round_trip_error"] == pytest.approx(0, abs=1e-6)
    assert result["identity_error"] == pytest.approx(0, abs=1e-6)


def test_the_settings_of_a_variant_reach_the_model():
    it = stargan.CONFIGURATIONS["expressions"]
    variant = stargan_classifier.Variant(weight=3.0, warmup=0.2, critic_rate=4.0)
    model = stargan_classifier.build(it, variant, gray(size=16), 50, seed=1)
    assert (model.classification_weight, model.classifier_warmup) == (3.0, 10)
    rates = {name: float(each.learning_rate) for name, each in model.optimizers.items()}
    assert rates["discriminator"] == pytest.approx(4 * rates["generator"])


def test_a_run_writes_its_result(tmp_path, monkeypatch):
    it = stargan.Configuration(
        gray, {"base_filters": 2, "blocks": 0, "num_downsamples": 0, "discriminator_filters": 2},
        size=8, batch_size=4, learning_rate=1e-3, flip=False, classifier_epochs=1,
    )  # fmt: skip
    monkeypatch.setitem(stargan.CONFIGURATIONS, "expressions", it)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(stargan_classifier, "WEIGHTS", tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["stargan_classifier", "expressions", "--updates", "3", "--variants", "alone", "weight_10"]
    )
    stargan_classifier.main()
    runs = read_json(tmp_path / "stargan_classifier.json")["runs"]
    assert set(runs) == {"expressions, alone, 25 updates, seed 1", "expressions, weight_10, 3 updates, seed 1"}
    assert runs["expressions, weight_10, 3 updates, seed 1"]["updates"] == 3
    assert runs["expressions, alone, 25 updates, seed 1"]["most_frequent"] == 0.5
    assert (tmp_path / "stargan_classifier_expressions_weight_10.png").exists()
