"""Classification of translations by a model that follows its targets and by the identity."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.evaluation import evaluate
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.attribute_translation import (
    attribute_translation,
    group_name,
    shuffle_within_datasets,
)
from keras_gen.models import AttributeSchema
from tests.evaluation.test_evaluating import QUICK
from tests.evaluation.toys import make_run

STAR: dict[str, Any] = {
    "groups": [2],
    "base_filters": 2,
    "num_downsamples": 1,
    "blocks": 1,
    "discriminator_filters": 2,
    "n_critic": 1,
}


class Levels:
    """A translator of constant images, whose brightness is that of the target domain, plus an `error`."""

    attribute_schema = AttributeSchema((2,), names=("level=dark", "level=bright"))

    def __init__(self, identity: bool = False, error: float = 0.0):
        self.identity, self.error = identity, error

    def attributes_of(self, batch):
        return tf.one_hot(batch["label"], 2)

    def __call__(self, inputs):
        if self.identity:
            return tf.constant(inputs["image"])
        level = 0.2 + 0.6 * inputs["attributes"][:, 1] + self.error
        return tf.broadcast_to(tf.cast(level, tf.float32)[:, None, None, None], tf.shape(inputs["image"]))


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


def measure(run, model) -> tuple[dict, dict, np.ndarray]:
    context = EvaluationContext(run)
    context.model = model
    metrics, about = attribute_translation(context)
    return metrics, about, context.batch(10_000)["label"]


TARGET_ROWS = shuffle_within_datasets(np.zeros(60), 0)


def test_a_model_that_follows_its_targets(run):
    metrics, about, label = measure(run, Levels(error=0.05))
    assert metrics["classifier_error_real_level_test"] == metrics["classifier_error_translated_level_test"] == 0
    # both translations set the level, so the reconstruction has the error once
    assert metrics["cycle_error_test"] == pytest.approx(0.05, abs=1e-6)
    assert metrics["cycle_psnr_test"] == pytest.approx(-20 * np.log10(0.05), rel=1e-4)
    assert set(about) == set(metrics)
    assert about["classifier_error_translated_level_test"]["images"] == 60
    # input images are errors where their target differs
    baseline = metrics["classifier_error_translated_level_test_baseline"]
    assert baseline == pytest.approx(np.mean(label != label[TARGET_ROWS]))
    assert metrics["cycle_error_test_baseline"] == 0


def test_metrics_of_the_identity(run):
    metrics, _, label = measure(run, Levels(identity=True))
    expected = np.mean(label != label[TARGET_ROWS])
    assert 0.3 < expected < 0.7  # about half of the images have another target
    assert metrics["classifier_error_translated_level_test"] == pytest.approx(expected)
    assert metrics["classifier_error_translated_level_test_baseline"] == pytest.approx(expected)
    assert metrics["cycle_error_test"] == 0 and metrics["classifier_error_real_level_test"] == 0


def test_a_stargan_run_is_evaluated(tmp_path):
    run = make_run(tmp_path, "stargan", **STAR)
    content = evaluate(run, **QUICK)
    compared = {"classifier_error_translated_group_0_test", "cycle_error_test", "cycle_psnr_test"}
    names = {f"{name}{end}" for name in compared for end in ("", "_baseline")}
    assert set(content["metrics"]) == names | {"classifier_error_real_group_0_test"}
    assert all(np.isfinite(value) for value in content["metrics"].values())
    assert set(content["pictures"]) == {"translations"}


def test_a_permutation_within_datasets():
    datasets = np.array([0, 1, 0, 1, 1, 0])
    order = shuffle_within_datasets(datasets, seed=3)
    assert sorted(order) == list(range(6)) and (datasets[order] == datasets).all()
    assert (shuffle_within_datasets(datasets, 3) == order).all()
    assert any((shuffle_within_datasets(datasets, seed) != order).any() for seed in range(5))


def test_names_of_groups():
    assert group_name(["color=red", "color=blue"], 1) == "color"
    assert group_name(["red", "blue"], 1) == "group_1" == group_name(["a=1", "b=1"], 1)
