"""Metrics of samples: real images, memorization, Parzen windows and mode coverage."""

import numpy as np
import pytest

from keras_gen.evaluation import feature_extractor
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluating import compute_metrics, write_pictures
from keras_gen.evaluation.evaluators.samples import (
    memorization_scores,
    parzen_windows,
    real_images,
    samples,
    stacked_modes,
)
from keras_gen.evaluation.metrics.parzen import parzen
from tests.evaluation.toys import make_run


def test_real_images_of_the_training_split_are_disjoint_halves(tmp_path):
    context = EvaluationContext(make_run(tmp_path, "gan"), split="train", samples=1000)
    real = real_images(context)
    assert (len(real.reference), len(real.floor), real.held_out) == (75, 75, False)
    both = np.concatenate([real.reference, real.floor])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(context.batch(None, role="train")["image"], axis=0))
    metrics, about = samples(context)
    assert metrics["swd_small_v1_75_train"] > 0 and metrics["closer_small_v1_1000_train"] is None
    assert about["nearest_small_v1_1000_train"]["images"] == 150


def test_generated_images_that_are_not_finite(tmp_path):
    context = EvaluationContext(make_run(tmp_path, "gan"), samples=30)
    context.generated_images = np.where(np.arange(30)[:, None, None, None] < 7, np.nan, np.zeros((30, 8, 8, 1)))
    metrics, about = compute_metrics(context)
    assert metrics == {"samples": None}
    assert write_pictures(context)[1].keys() == {"samples", "nearest_neighbors"}
    assert about["samples"]["reason"] == (
        "ValueError: Expected finite generated images; received NaN or infinity in 7 of 30"
    )


PIXELS = feature_extractor("pixels")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((150, 4, 4, 1)).astype(np.float32)


class TestMemorization:
    def test_copies_and_new_images(self, images):
        train, held_out = images[:50], images[50:100]
        metrics, about = memorization_scores(train[::-1], train, held_out, features=PIXELS)
        assert list(metrics) == ["nearest_pixels_50_train", "nearest_pixels_50_train_floor", "closer_pixels_50_train"]
        nearest, floor, closer = metrics.values()
        assert nearest == 0 and floor > 0.1 and closer == 1
        metrics, about = memorization_scores(images[100:], train, held_out, features=PIXELS, split="validation")
        probability = about["closer_pixels_50_train"]
        assert abs(metrics["closer_pixels_50_train"] - 0.5) < 4 * probability["standard_error"]
        assert "a validation image" in probability["note"]

    def test_by_hand(self):
        arrays = ([0.1, 0.7], [0.0, 1.0], [0.4, 0.2])
        generated, train, held_out = (np.reshape(values, (-1, 1, 1, 1)) for values in arrays)
        metrics, _ = memorization_scores(generated, train, held_out, features=PIXELS)
        # distances .1 and .3 against .4 and .2: closer in 3 of 4 pairs
        assert list(metrics.values()) == pytest.approx([0.2, 0.3, 0.75])

    def test_without_held_out_images(self, images):
        metrics, about = memorization_scores(images[:20], images[20:], None, split="train")
        assert metrics["nearest_small_v1_20_train"] > 0 and metrics["closer_small_v1_20_train"] is None
        assert "train split are not held out" in about["nearest_small_v1_20_train_floor"]["reason"]


class TestParzenWindows:
    @pytest.fixture
    def context(self, tmp_path):
        run = make_run(tmp_path, "gan")
        # gray values, so that kernels of a tenth to one are wide enough
        generator = np.random.default_rng(0)
        train, test = (generator.normal(0.5, 0.2, (num, 8, 8, 1)).clip(0, 1).astype(np.float32) for num in (200, 60))
        np.savez(run.config["data"]["source"], x_train=train, x_test=test)
        return EvaluationContext(run, samples=100, parzen=True)

    def test_samples_and_training_images(self, context):
        metrics, about = parzen_windows(context)
        assert list(metrics) == ["parzen_pixels_100_test", "parzen_pixels_100_test_floor"]
        train = context.batch(None, role="train")["image"]
        generator = np.random.Generator(np.random.Philox(key=0))
        generator.permutation(60)  # of the test images
        order = generator.permutation(150)
        validation, test = context.batch(None, role="validation")["image"], context.batch(None)["image"]
        expected = parzen(context.generated_images, train[order[:100]], validation, test)
        assert metrics["parzen_pixels_100_test"] == pytest.approx(expected.value)
        assert metrics["parzen_pixels_100_test_floor"] == pytest.approx(expected.train_value)
        notes = about["parzen_pixels_100_test"]
        assert "not a log-likelihood" in notes["note"] and notes["sigma"] == expected.sigma and notes["images"] == 60

    def test_without_a_split_for_sigma(self, context):
        context.split = "validation"
        metrics, about = parzen_windows(context)
        assert metrics == {"parzen_pixels_100_validation": None, "parzen_pixels_100_validation_floor": None}
        assert "sigma would be chosen on" in about["parzen_pixels_100_validation"]["reason"]
        context.split = "test"
        context.run.config["data"]["splits"]["validation"] = None
        _, about = parzen_windows(context)
        assert "received 'validation'" in about["parzen_pixels_100_test"]["reason"]

    def test_only_on_request(self, context):
        context.parzen = False
        assert parzen_windows(context) == ({}, {})


class TestModeCoverage:
    def test_modes_of_stacked_images(self, stacked):
        metrics, about = stacked_modes(stacked.context)
        assert list(metrics) == [f"{m}_classifier_200{floor}" for m in ("modes", "kl") for floor in ("", "_floor")]
        assert metrics["modes_classifier_200"] == 7 and metrics["modes_classifier_200_floor"] > 7.9
        q = np.einsum("a,b,c->abc", *[stacked.single] * 3).reshape(-1)
        p, covered = stacked.frequencies, stacked.frequencies > 0
        expected = np.sum(p[covered] * np.log(p[covered] / q[covered]))
        assert metrics["kl_classifier_200"] == pytest.approx(expected, abs=0.02)
        assert metrics["kl_classifier_200_floor"] == pytest.approx(7 / 400, rel=0.3)
        assert about["modes_classifier_200"]["unit"] == "modes of 8"

    def test_other_data_have_no_modes(self, tmp_path):
        assert stacked_modes(EvaluationContext(make_run(tmp_path, "gan"))) == ({}, {})
