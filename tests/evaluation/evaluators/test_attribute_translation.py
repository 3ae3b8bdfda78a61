"""Judged translations: a model that does what it is told, and one that does nothing."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.evaluation import evaluate
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.attribute_translation import attribute_translation, group_name, partners
from keras_gen.models import Attributes
from tests.evaluation.test_evaluating import QUICK
from tests.evaluation.toys import make_run

STAR = {"groups": [2], "base_filters": 2, "num_downsamples": 1, "blocks": 1, "discriminator_filters": 2, "n_critic": 1}


class Levels:
    """Flat images whose brightness is their domain; there and back is exact but for `loss`."""

    vocabulary = Attributes((2,), names=("level=dark", "level=bright"))

    def __init__(self, obeys: bool, loss: float = 0.0):
        self.obeys, self.loss = obeys, loss

    def attributes_of(self, batch):
        return tf.one_hot(batch["label"], 2)

    def __call__(self, given):
        level = 0.2 + 0.6 * given["attributes"][:, 1] + self.loss
        made = tf.broadcast_to(tf.cast(level, tf.float32)[:, None, None, None], tf.shape(given["image"]))
        return made if self.obeys else tf.constant(given["image"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("levels"), "autoencoder")
    generator = np.random.default_rng(0)

    def split(num):
        label = generator.integers(0, 2, num).astype(np.int32)
        return np.broadcast_to((0.2 + 0.6 * label)[:, None, None, None], (num, 8, 8, 1)).astype(np.float32), label

    (x_train, y_train), (x_test, y_test) = split(200), split(60)
    np.savez(run.config["data"]["source"], x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return run


def measured(run, model) -> tuple[dict, dict, np.ndarray]:
    context = EvaluationContext(run)
    context.model = model
    metrics, about = attribute_translation(context)
    return metrics, about, context.batch(10_000)["label"]


PARTNERS = partners(np.zeros(60), 0)


def test_a_model_that_does_as_it_is_told(run):
    metrics, about, label = measured(run, Levels(True, loss=0.05))
    assert metrics["judge_error_real_level_test"] == metrics["judge_error_translated_level_test"] == 0
    # back again it adds the loss once: both ways set the level anew
    assert metrics["back_and_forth_error_test"] == pytest.approx(0.05, abs=1e-6)
    assert metrics["back_and_forth_psnr_test"] == pytest.approx(-20 * np.log10(0.05), rel=1e-4)
    assert set(about) == set(metrics)
    assert about["judge_error_translated_level_test"]["images"] == 60
    # the images as they were: wrong where the target is another one
    assert metrics["judge_error_translated_level_test_baseline"] == pytest.approx(np.mean(label != label[PARTNERS]))
    assert metrics["back_and_forth_error_test_baseline"] == 0


def test_a_model_that_does_nothing(run):
    metrics, _, label = measured(run, Levels(False))
    expected = np.mean(label != label[PARTNERS])
    assert 0.3 < expected < 0.7  # as many have another target
    assert metrics["judge_error_translated_level_test"] == pytest.approx(expected)
    assert metrics["judge_error_translated_level_test_baseline"] == pytest.approx(expected)
    assert metrics["back_and_forth_error_test"] == 0 and metrics["judge_error_real_level_test"] == 0


def test_stargan_passes_through_evaluate(tmp_path):
    run = make_run(tmp_path, "stargan", **STAR)
    content = evaluate(run, **QUICK)
    compared = {"judge_error_translated_group_0_test", "back_and_forth_error_test", "back_and_forth_psnr_test"}
    names = {f"{name}{end}" for name in compared for end in ("", "_baseline")}
    assert set(content["metrics"]) == names | {"judge_error_real_group_0_test"}
    assert all(np.isfinite(value) for value in content["metrics"].values())
    assert set(content["pictures"]) == {"translations"}


def test_partners_are_a_permutation_within_the_sets():
    sets = np.array([0, 1, 0, 1, 1, 0])
    found = partners(sets, seed=3)
    assert sorted(found) == list(range(6)) and (sets[found] == sets).all()
    assert (partners(sets, 3) == found).all() and any((partners(sets, seed) != found).any() for seed in range(5))


def test_what_a_group_is_called():
    assert group_name(["color=red", "color=blue"], 1) == "color"
    assert group_name(["red", "blue"], 1) == "group_1" == group_name(["a=1", "b=1"], 1)
