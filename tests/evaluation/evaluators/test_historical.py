import numpy as np
import pytest

from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.historical import historical
from keras_gen.evaluation.metrics.parzen import parzen
from tests.evaluation.toys import make_run


@pytest.fixture
def context(tmp_path):
    run = make_run(tmp_path, "gan")
    # values in between, so that kernels of a tenth to one are wide enough
    generator = np.random.default_rng(0)
    train, test = (generator.normal(0.5, 0.2, (num, 8, 8, 1)).clip(0, 1).astype(np.float32) for num in (200, 60))
    np.savez(run.config["data"]["source"], x_train=train, x_test=test)
    return EvaluationContext(run, samples=100, parzen=True)


def test_the_estimate_and_that_of_training_images(context):
    metrics, about = historical(context)
    assert list(metrics) == ["parzen_pixels_100_test", "parzen_pixels_100_test_floor"]
    train = context.batch(None, role="train")["image"]
    generator = np.random.Generator(np.random.Philox(key=0))
    generator.permutation(60)  # of the test images
    order = generator.permutation(150)
    validation, test = context.batch(None, role="validation")["image"], context.batch(None)["image"]
    expected = parzen(context.generated, train[order[:100]], validation, test)
    assert metrics["parzen_pixels_100_test"] == pytest.approx(expected.value)
    assert metrics["parzen_pixels_100_test_floor"] == pytest.approx(expected.train_value)
    notes = about["parzen_pixels_100_test"]
    assert notes["note"].startswith("HISTORICAL") and notes["sigma"] == expected.sigma and notes["images"] == 60


def test_no_split_to_choose_sigma_on(context):
    context.split = "validation"
    metrics, about = historical(context)
    assert metrics == {"parzen_pixels_100_validation": None, "parzen_pixels_100_validation_floor": None}
    assert "sigma would be chosen on" in about["parzen_pixels_100_validation"]["reason"]
    context.split = "test"
    context.run.config["data"]["splits"]["validation"] = None
    _, about = historical(context)
    assert "no validation split" in about["parzen_pixels_100_test"]["reason"]


def test_only_where_it_is_asked_for(context):
    context.parzen = False
    assert historical(context) == ({}, {})
