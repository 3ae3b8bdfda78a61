"""Every system of the zoo can be evaluated."""

from typing import Any

import numpy as np
import pytest

from keras_gen import data
from keras_gen.evaluation import evaluate
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.features import text_image_scorer

from .test_evaluating import QUALITY, QUICK, SAMPLE_METRICS
from .toys import make_run

SETTINGS: dict[str, dict[str, Any]] = {
    "gan": {"num_classes": 2},
    "dcgan": {"base_filters": 4, "network": "dcgan"},
    "infogan": {"base_filters": 4, "dense_units": 8, "noise_size": 3, "num_categories": 3},
    "aae": {"discriminator_units": 8, "num_categories": 2, "supervised": True, "latent_size": 1},
    "text2image": {"base_filters": 4, "vocabulary": ["a", "disc", "small", "large"], "length": 4, "embedding_size": 8},
}
GENERATORS = {"samples", "nearest_neighbors"}
OWN = {
    "gan": set(),
    "dcgan": set(),
    "infogan": {"category_error_test", "category_error_test_baseline"},
    "aae": {"reconstruction", *QUALITY, "category_error_test", "category_error_test_baseline"},
    "text2image": {f"r_precision_test{end}" for end in ("", "_real", "_baseline")},
}


@pytest.fixture(autouse=True)
def quick_scorer(monkeypatch, tmp_path):
    """Trains the text-image scorer for only a few steps, with a temporary cache."""
    monkeypatch.setitem(text_image_scorer.SETTINGS, "steps", 40)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("system", SETTINGS)
def test_every_metric_and_picture_of_the_system(tmp_path, system):
    run = make_run(tmp_path, system, **SETTINGS[system])
    content = evaluate(run, **QUICK)
    assert set(content["metrics"]) == OWN[system] | SAMPLE_METRICS
    for name, value in content["metrics"].items():
        assert (value is None) == ("fd_pixels" in name or "ms_ssim" in name), (name, content["about"][name])
    pictures = GENERATORS | ({"reconstructions", "interpolation", "latent_map"} if system == "aae" else set())
    pictures |= {"captions"} if system == "text2image" else set()
    assert set(content["pictures"]) == pictures
    if system == "text2image":
        # large and small discs differ only in area
        assert content["metrics"]["r_precision_test_real"] > 0.8
        assert 0 < content["metrics"]["r_precision_test_baseline"] < 0.5
        assert "first among" in content["about"]["r_precision_test"]["note"]
    if system == "aae":
        model, images = run.load_model(), next(iter(run.dataset("test", batch_size=60)))["image"]
        error = np.square(model.reconstruct(images) - images).sum((1, 2, 3)).mean()
        assert content["metrics"]["reconstruction"] == pytest.approx(error, rel=1e-5)
        assert content["about"]["reconstruction"]["unit"] == "squared error, summed over pixels"


def test_an_autoencoder_under_a_prior_that_has_no_density(tmp_path):
    run = make_run(tmp_path, "aae", discriminator_units=8, prior="swiss_roll", prior_num_classes=10, loss="bernoulli")
    content = evaluate(run, **QUICK)
    assert set(content["metrics"]) == {"reconstruction", *QUALITY, *SAMPLE_METRICS}
    assert content["about"]["reconstruction"]["unit"] == "nats per image"
    assert "latent_map" in content["pictures"]


def test_labels_of_samples_are_in_random_order(tmp_path):
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "sorted.npz", image=generator.random((60, 8, 8, 1)), label=np.repeat([0, 1], 30))
    context = EvaluationContext(make_run(tmp_path, "gan", num_classes=2))
    context.dataset = lambda *arguments, **changes: data.load(
        tmp_path / "sorted.npz", image_shape=(8, 8, 1), batch_size=9, shuffle=False
    )
    labels = context.conditions(60)["label"]
    assert labels.sum() == 30 and 5 < labels[:30].sum() < 25
    np.testing.assert_array_equal(labels, context.conditions(60)["label"])
