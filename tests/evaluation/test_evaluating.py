import dataclasses
import json
import math
import sys

import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import runs
from keras_gen.evaluation import EVALUATORS, PICTURES, evaluate
from keras_gen.evaluation.evaluators import Offer
from keras_gen.evaluation.subject import Subject
from keras_gen.progress import Progress

from .toys import make_run

# the module, whose name in the package is that of its function
evaluating = sys.modules["keras_gen.evaluation.evaluating"]
QUICK = {"nll_samples": 10, "nll_images": 20, "samples": 40, "verbose": False}

SCORES = ("fd", "kid", "swd", "precision", "recall", "density", "coverage")
SAMPLE_METRICS = {
    *(f"{score}_pixels_40_test{floor}" for score in SCORES for floor in ("", "_floor")),
    *(f"ms_ssim_0_scales_40{floor}" for floor in ("", "_floor")),
    *("nearest_pixels_40_train", "nearest_pixels_40_train_floor", "closer_pixels_40_train"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("vae"), epochs=20)


@pytest.fixture(scope="module")
def content(run):
    content = evaluate(run, **QUICK)
    assert json.loads(run.evaluation_file.read_text()) == content
    return content


def test_keys(content):
    assert set(content) == {"metrics", "about", "seed", "split", "date", "hardware", "versions", "pictures"}
    assert (content["seed"], content["split"]) == (0, "test")
    assert content["versions"]["keras"] == runs.versions()["keras"]


def test_every_number_has_a_unit_and_sizes(content):
    assert set(content["metrics"]) == set(content["about"])
    missing = {"fd_pixels_40_test", "fd_pixels_40_test_floor", "ms_ssim_0_scales_40", "ms_ssim_0_scales_40_floor"}
    for name, about in content["about"].items():
        value = content["metrics"][name]
        assert ("reason" in about) == (value is None) == (name in missing), name  # 64 pixels, 40 images
        assert value is None or (isinstance(value, (int, float)) and math.isfinite(value))
        assert about["unit"] and about["images"] >= 1
    assert (content["about"]["nll"]["images"], content["about"]["nll"]["samples"]) == (20, 10)
    assert content["about"]["elbo"]["images"] == 60


def test_signs_and_identities(content):
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
    assert metrics["swd_pixels_40_test"] > metrics["swd_pixels_40_test_floor"] > 0
    assert metrics["kid_pixels_40_test"] > metrics["kid_pixels_40_test_floor"]
    assert metrics["nearest_pixels_40_train"] > 0 and 0 <= metrics["closer_pixels_40_train"] <= 1


def test_psnr_is_of_the_model_s_reconstructions(run, content):
    batch = next(iter(run.dataset("test", shuffle=False, batch_size=60)))
    error = (run.load_model().reconstruct(batch["image"]) - batch["image"]).numpy()
    expected = np.mean(-10 * np.log10(np.square(error).mean((1, 2, 3))))
    assert content["metrics"]["psnr"] == pytest.approx(expected, rel=1e-4)


def test_the_same_seed_gives_the_same_numbers(run, content):
    again = evaluate(run.path, **QUICK, batch_size=17)
    for name, value in content["metrics"].items():
        if name not in ("elbo", "reconstruction", "kl"):  # whose noise is drawn for a whole batch
            expected = None if value is None else pytest.approx(value, rel=1e-4)
            assert again["metrics"][name] == expected, name


def test_pictures_are_written(run, content):
    expected = {"samples", "neighbours", "reconstructions", "interpolation", "latent_map"}
    assert set(content["pictures"]) == expected <= {picture.name for picture in PICTURES}
    for file in content["pictures"].values():
        with Image.open(run.path / file) as picture:
            assert min(picture.size) > 60 and len(set(picture.convert("L").tobytes())) > 20


def test_autoencoder_gets_what_applies_to_it(tmp_path):
    run = make_run(tmp_path, "autoencoder", latent_size=3)
    content = evaluate(run, **QUICK)
    assert set(content["metrics"]) == {"reconstruction", "psnr", "ssim", *SAMPLE_METRICS}
    assert content["about"]["reconstruction"]["unit"] == "squared error, summed over pixels"
    assert set(content["pictures"]) == {"samples", "neighbours", "reconstructions", "interpolation", "latent_map"}


def test_gray_images_of_another_split_have_no_likelihood_under_a_bernoulli_head(tmp_path, capsys):
    run = make_run(tmp_path, gray=True, num_classes=2, posterior="full_covariance_normal")
    content = evaluate(run, **{**QUICK, "verbose": True, "nll_images": "all"}, split="validation", seed=1)
    assert (content["seed"], content["split"]) == (1, "validation")
    assert content["about"]["nll"]["images"] == content["about"]["elbo"]["images"] == 50
    assert "swd_pixels_40_validation" in content["metrics"]
    assert content["metrics"]["nll"] is None and content["metrics"]["bits_per_dimension"] is None
    printed = " ".join(capsys.readouterr().out.split())
    assert "nll is null: a Bernoulli head is a likelihood of binary pixels" in printed
    assert f"{content['metrics']['psnr']:.5g}" in printed
    assert json.loads(run.evaluation_file.read_text())["metrics"]["nll"] is None


class Sampler:
    """A system that only generates."""

    def endpoints(self):
        return [keras_gen.models.Endpoint("generate", lambda noise: {}, {}, {})]


def test_a_system_is_asked_only_for_what_it_offers():
    assert [row.name for row in EVALUATORS if row.needs.fits(Sampler())] == ["samples", "modes", "Parzen windows"]
    assert [row.name for row in PICTURES if row.needs.fits(Sampler())] == ["samples", "neighbours"]
    assert not Offer(("generate",), ("prior",)).fits(Sampler())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"nll_images": "some"}, "nll_images must be an integer >= 1 or \"all\"; received 'some'"),
        ({"nll_samples": 0}, "nll_samples must be an integer >= 1; received 0"),
        ({"samples": True}, "samples must be an integer"),
        ({"split": "tests"}, "Unknown split 'tests': expected one of test, validation, train"),
        ({"seed": -1}, "0 <= seed < 2"),
        (
            {"features": ("pixels", "vgg")},
            "Unknown features 'vgg': expected some of pixels, classifier, inc",
        ),
    ],
)
def test_options_out_of_range(run, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(run, **options)


def test_an_evaluator_that_refuses_leaves_the_others(run, monkeypatch):
    def refuse(subject):
        raise ValueError("not today")

    rows = (dataclasses.replace(EVALUATORS[0], name="The one", measure=refuse), EVALUATORS[4])
    monkeypatch.setattr(evaluating, "EVALUATORS", rows)
    content = evaluating.measure(Subject(run), Progress(False))
    assert set(content["metrics"]) == set(content["about"]) == {"the_one", "psnr", "ssim"}
    assert content["metrics"]["the_one"] is None
    assert content["about"]["the_one"]["reason"] == "ValueError: not today"


def test_a_split_that_the_run_does_not_have(tmp_path):
    run = make_run(tmp_path)
    run.config["data"]["splits"]["test"] = None
    with pytest.raises(ValueError, match="no test split; it has train, validation"):
        evaluate(run, **QUICK)


def test_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a run directory"):
        evaluate(tmp_path)
