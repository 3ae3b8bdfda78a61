import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import runs
from keras_gen.evaluation import evaluate, evaluating
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.likelihood import likelihood
from keras_gen.evaluation.registry import EVALUATORS, PICTURES, Requirements
from keras_gen.models.core.protocols import HasPrior

from .toys import make_run

QUICK: dict[str, Any] = {"nll_samples": 10, "nll_images": 20, "samples": 40, "verbose": False}
VERBOSE: dict[str, Any] = {"nll_samples": 10, "samples": 40}

SCORES = ("fd", "kid", "swd", "precision", "recall", "density", "coverage")
SAMPLE_METRICS = {
    *(f"{score}_small_v1_40_test{floor}" for score in SCORES for floor in ("", "_floor")),
    *(f"ms_ssim_0_scales_40{floor}" for floor in ("", "_floor")),
    *("nearest_small_v1_40_train", "nearest_small_v1_40_train_floor", "closer_small_v1_40_train"),
}

AUTOENCODER_PICTURES = {"samples", "nearest_neighbors", "reconstructions", "interpolation", "latent_map"}
QUALITY = {"psnr", "psnr_baseline", "ssim", "ssim_baseline"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("vae"), epochs=20)


@pytest.fixture(scope="module")
def content(run):
    content = evaluate(run, **QUICK)
    assert json.loads(run.evaluation_file.read_text()) == content
    return content


def test_keys_of_metrics(content):
    assert set(content) == {"metrics", "about", "headline", "seed", "split", "date", "hardware", "versions", "pictures"}
    assert (content["seed"], content["split"]) == (0, "test")
    assert content["versions"]["keras"] == runs.versions()["keras"]
    name = "fd_small_v1_40_test"
    value, floor = content["metrics"][name], content["metrics"][f"{name}_floor"]
    assert content["headline"] == {"metric": name, "value": value, "floor": floor, "better": "lower"}


def test_every_number_has_a_unit_and_sizes(content):
    assert set(content["metrics"]) == set(content["about"])
    missing = {"ms_ssim_0_scales_40", "ms_ssim_0_scales_40_floor"}
    for name, about in content["about"].items():
        value = content["metrics"][name]
        assert ("reason" in about) == (value is None) == (name in missing), name  # images of 8x8
        assert value is None or (isinstance(value, (int, float)) and math.isfinite(value))
        assert about["unit"] and about["images"] >= 1
    assert (content["about"]["nll"]["images"], content["about"]["nll"]["samples"]) == (20, 10)
    assert content["about"]["elbo"]["images"] == 60


def test_signs_and_identities_of_metrics(content):
    metrics = content["metrics"]
    assert metrics["elbo"] < 0 < metrics["nll"]
    assert metrics["kl"] > 0
    assert metrics["elbo"] == pytest.approx(-metrics["reconstruction"] - metrics["kl"], rel=1e-5)
    assert metrics["bits_per_dimension"] == pytest.approx(metrics["nll"] / (64 * math.log(2)))
    assert metrics["information"] <= math.log(60)
    error = content["about"]["kl_aggregate"]["standard_error"] + content["about"]["information"]["standard_error"]
    assert metrics["kl_aggregate"] + metrics["information"] == pytest.approx(metrics["kl"], abs=4 * error)
    assert metrics["active_units"] in (0, 1, 2)
    assert -1 <= metrics["ssim"] <= 1
    for metric in ("fd", "swd", "kid"):
        assert metrics[f"{metric}_small_v1_40_test"] > metrics[f"{metric}_small_v1_40_test_floor"]
    assert metrics["nearest_small_v1_40_train"] > 0 and 0 <= metrics["closer_small_v1_40_train"] <= 1


def test_psnr_of_the_model_s_reconstructions(run, content):
    batch = next(iter(run.dataset("test", shuffle=False, batch_size=60)))
    error = (run.load_model().reconstruct(batch["image"]) - batch["image"]).numpy()
    expected = np.mean(-10 * np.log10(np.square(error).mean((1, 2, 3))))
    assert content["metrics"]["psnr"] == pytest.approx(expected, rel=1e-4)


def test_same_seed_gives_the_same_numbers(run, content):
    again = evaluate(run.path, **QUICK, batch_size=17)
    for name, value in content["metrics"].items():
        if name not in ("elbo", "reconstruction", "kl"):  # the noise of this metric depends on the batch size
            expected = None if value is None else pytest.approx(value, rel=1e-4)
            assert again["metrics"][name] == expected, name


def test_pictures_are_written(run, content):
    assert set(content["pictures"]) == AUTOENCODER_PICTURES <= {picture.name for picture in PICTURES}
    for file in content["pictures"].values():
        with Image.open(run.path / file) as picture:
            assert min(picture.size) > 60 and len(set(picture.convert("L").tobytes())) > 20


def test_metrics_of_an_autoencoder(tmp_path):
    run = make_run(tmp_path, "autoencoder", latent_size=3)
    content = evaluate(run, **QUICK)
    assert set(content["metrics"]) == {"reconstruction", *QUALITY, *SAMPLE_METRICS}
    assert content["about"]["reconstruction"]["unit"] == "squared error, summed over pixels"
    assert set(content["pictures"]) == AUTOENCODER_PICTURES


def test_gray_images_have_no_likelihood_under_a_bernoulli_head(tmp_path, capsys):
    run = make_run(tmp_path, gray=True, num_classes=2, posterior="full_covariance_normal")
    content = evaluate(run, **VERBOSE, nll_images="all", split="validation", seed=1)
    assert (content["seed"], content["split"]) == (1, "validation")
    assert content["about"]["nll"]["images"] == content["about"]["elbo"]["images"] == 50
    assert "swd_small_v1_40_validation" in content["metrics"]
    assert content["metrics"]["nll"] is None and content["metrics"]["bits_per_dimension"] is None
    printed = " ".join(capsys.readouterr().out.split())
    assert "nll is null: a Bernoulli head is a likelihood of binary pixels" in printed
    assert f"{content['metrics']['psnr']:.5g}" in printed
    assert json.loads(run.evaluation_file.read_text())["metrics"]["nll"] is None
    assert (
        "Baseline: the value of a trivial solution" in printed
        and f"{content['metrics']['psnr_baseline']:.5g}" in printed
    )
    assert "fd_small_v1_40_validation is the Frechet distance between samples and real images" in printed
    score = content["headline"]
    assert f"Score: fd_small_v1_40_validation = {score['value']:.5g}; lower is better" in printed
    assert f"real images have {score['floor']:.5g}" in printed


@pytest.fixture
def noise_run(tmp_path):
    """A GAN's run on random images that are far from each other."""
    run = make_run(tmp_path, "gan")
    images = np.random.default_rng(0).random((260, 8, 8, 1)).astype(np.float32)
    np.savez(run.config["data"]["source"], x_train=images[:200], x_test=images[200:])
    return run


def test_copies_of_any_training_image_are_detected(noise_run, monkeypatch):
    model, train = noise_run.load_model(), np.load(noise_run.config["data"]["source"])["x_train"]
    model.generate = lambda num, **options: train[:num]
    monkeypatch.setattr(runs.Run, "load_model", lambda self: model)
    monkeypatch.setattr("keras_gen.evaluation.evaluators.samples.BLOCK_BYTES", 1000)  # one batch per block
    # of 150 training images
    content = evaluate(noise_run, **QUICK, max_images=20, features=("pixels",))
    metrics, about = content["metrics"], content["about"]
    for features in ("small_v1", "pixels"):
        assert metrics[f"closer_{features}_40_train"] == 1
        # features of one image in batches of different size differ by rounding
        floor = metrics[f"nearest_{features}_40_train_floor"]
        assert metrics[f"nearest_{features}_40_train"] < 0.01 * floor
        assert about[f"closer_{features}_40_train"]["images"] == 150


def test_more_training_images_than_the_limit_make_memorization_null(noise_run):
    content = evaluate(noise_run, **QUICK, neighbor_images=149)
    for name in ("nearest_small_v1_40_train", "nearest_small_v1_40_train_floor", "closer_small_v1_40_train"):
        assert content["metrics"][name] is None
        assert (
            "Expected at most 149 training images in the search for nearest neighbors; received 150"
            in content["about"][name]["reason"]
        )
    assert "neighbor_images=150" in content["missing_pictures"]["nearest_neighbors"]
    assert content["metrics"]["swd_small_v1_40_test"] > 0


def test_default_split_is_the_first_that_exists(noise_run, capsys):
    noise_run.config["data"]["splits"]["test"] = None
    content = evaluate(noise_run, **VERBOSE)
    assert (content["split"], content["split_note"]) == ("validation", "the run has no test split")
    assert "validation split (the run has no test split)" in " ".join(capsys.readouterr().out.split())
    noise_run.config["data"]["splits"]["validation"] = None
    assert EvaluationContext(noise_run).split == "train"


def test_progress_reports_counts(run):
    calls = []
    context = EvaluationContext(
        run, nll_samples=10, nll_images=20, samples=40, progress=lambda *call: calls.append(call)
    )
    evaluating.compute_metrics(context)
    evaluating.write_pictures(context)
    counted = {activity for activity, _, total in calls if total}
    assert {"reading test images", "generating samples", "ELBO: batches of 128", "log-likelihood"} <= counted
    assert {"encoding images", "decoding codes", "information in the codes", "reconstructing images"} <= counted
    assert {
        "features small_v1 of samples",
        "scores by small_v1, percent",
        "comparing samples with all training images",
    } <= counted
    assert all(0 <= result <= total for _, result, total in calls if total)
    # other activities have no counts
    uncounted = {activity for activity, _, total in calls if not total} - counted
    names = {row.name for row in EVALUATORS} | {f"picture {row.name}" for row in PICTURES}
    assert uncounted - names <= {
        *("loading the model", "preparing the features small_v1"),
        *(f"opening the {role} split" for role in ("test", "train")),
    }


def test_samples_are_those_of_generate(run):
    samples = EvaluationContext(run, samples=40, batch_size=17, seed=3).generated_images
    np.testing.assert_array_equal(samples, run.load_model().generate(40, seed=3, batch_size=17))


def test_fid_without_its_weights_fails_immediately(run, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_GEN_FID_WEIGHTS", raising=False)
    monkeypatch.setattr(evaluating, "compute_metrics", None)
    with pytest.raises(FileNotFoundError, match="weights of the FID.*Download https.*KERAS_GEN_FID_WEIGHTS"):
        evaluate(run, features="fid")


def test_a_single_image_has_no_standard_error(run):
    metrics, about = likelihood(EvaluationContext(run, nll_samples=10, nll_images=1))
    assert about["nll"]["standard_error"] is None and about["bits_per_dimension"]["standard_error"] is None
    assert metrics["nll"] > 0


class Sampler:
    """A model that only generates."""

    def endpoints(self):
        return [keras_gen.models.Endpoint("generate", lambda noise: {}, {}, {})]


def test_evaluators_run_where_the_model_meets_their_requirements():
    evaluators = [row.name for row in EVALUATORS if row.requirements.met_by(Sampler())]
    assert evaluators == ["samples", "mode coverage", "Parzen windows"]
    assert [row.name for row in PICTURES if row.requirements.met_by(Sampler())] == ["samples", "nearest_neighbors"]
    assert not Requirements(("generate",), (HasPrior,)).met_by(Sampler())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"nll_images": "some"}, "Expected an integer >= 1 or \"all\" for nll_images; received 'some'"),
        ({"nll_samples": 0}, "Expected an integer >= 1 for nll_samples; received 0"),
        ({"samples": True}, "Expected an integer >= 1 for samples; received True"),
        ({"split": "tests"}, "Expected one of test, validation, train for split; received 'tests'"),
        ({"seed": -1}, "Expected an integer from 0 to 2147483647 for seed; received -1"),
        (
            {"features": ("pixels", "vgg")},
            "Expected some of small_v1, pixels, classifier, inception, fid, pyramid for features; received 'vgg'",
        ),
    ],
)
def test_options_out_of_range(run, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(run, **options)


def test_an_error_in_one_evaluator_leaves_the_others(run, monkeypatch):
    def fail(context):
        raise ValueError("not today")

    rows = (dataclasses.replace(EVALUATORS[0], name="The one", measure=fail), EVALUATORS[4])
    monkeypatch.setattr(evaluating, "EVALUATORS", rows)
    metrics, about = evaluating.compute_metrics(EvaluationContext(run))
    assert set(metrics) == set(about) == {"the_one", *QUALITY}
    assert metrics["the_one"] is None
    assert about["the_one"]["reason"] == "ValueError: not today"


def test_a_missing_split_is_refused(tmp_path):
    run = make_run(tmp_path)
    run.config["data"]["splits"]["test"] = None
    with pytest.raises(ValueError, match="Expected a split of this run, validation, train; received 'test'"):
        evaluate(run, **QUICK, split="test")


def test_a_missing_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a run directory"):
        evaluate(tmp_path)
