import numpy as np
import pytest

from keras_gen import data
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluating import draw, measure
from keras_gen.evaluation.evaluators.samples import real_images, samples
from keras_gen.evaluation.evaluators.stacked_modes import stacked_modes
from keras_gen.evaluation.features import of_run as run_features
from keras_gen.evaluation.features.classifier import feature_classifier
from keras_gen.evaluation.features.of_run import extractors, labeled_images
from keras_gen.progress import Progress
from tests.evaluation.toys import blobs, make_run


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """A small classifier, kept in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = {"base_filters": 8, "dense_units": 16, "epochs": 15, "batch_size": 32, "learning_rate": 3e-3}
    for name, value in small.items():
        monkeypatch.setitem(run_features.feature_classifier.__globals__["SETTINGS"], name, value)


def test_scores_by_the_classifier_of_the_run_s_labels(tmp_path, monkeypatch):
    def refuse():
        raise OSError("no network")

    monkeypatch.setitem(run_features.feature_extractor.__globals__["FEATURES"], "inception", refuse)
    run = make_run(tmp_path, "gan")
    context = EvaluationContext(run, samples=40, features=("classifier", "inception", "pyramid"))
    metrics, about = samples(context)
    assert metrics["fd_classifier_40_test"] > 10 * metrics["fd_classifier_40_test_floor"] > 0  # gray noise
    assert "accuracy" in about["fd_classifier_40_test"]["features"]
    assert metrics["fd_inception_40_test"] is None and about["fd_inception_40_test"]["reason"] == "no network"
    assert metrics["swd_pyramid_8_40_test"] is None and "16 pixels" in about["swd_pyramid_8_40_test"]["reason"]
    assert not any("_pixels_40_test" in name for name in metrics)
    assert len(list((tmp_path / "cache" / "keras_gen" / "classifiers").glob("*.npz"))) == 1


def test_the_classifier_does_not_depend_on_seed_or_split(tmp_path):
    run = make_run(tmp_path, "gan")
    sets = [
        labeled_images(EvaluationContext(run, seed=seed, split=split))
        for seed, split in ((0, "test"), (5, "validation"))
    ]
    for one, other in zip(*sets, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    assert [len(labels) for _, labels in sets[0]] == [150, 60]


def test_data_without_labels(tmp_path):
    run = make_run(tmp_path, "gan")
    np.savez(run.config["data"]["source"], x_train=blobs(200, 1)[0], x_test=blobs(60, 2)[0])
    metrics, about = samples(EvaluationContext(run, samples=30, features=("pixels", "classifier")))
    assert metrics["kid_classifier_30_test"] is None
    assert "has no class labels" in about["kid_classifier_30_test"]["reason"]
    assert metrics["kid_pixels_30_test"] > 0


def test_real_images_of_the_training_split_are_judged_by_other_ones(tmp_path):
    context = EvaluationContext(make_run(tmp_path, "gan"), split="train", samples=1000)
    real = real_images(context)
    assert (len(real.judged), len(real.floor), real.held_out) == (75, 75, False)
    both = np.concatenate([real.judged, real.floor])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(context.batch(None, role="train")["image"], axis=0))
    metrics, about = samples(context)
    assert metrics["swd_pixels_75_train"] > 0 and metrics["closer_pixels_1000_train"] is None
    assert about["nearest_pixels_1000_train"]["images"] == 150


def test_generated_images_that_are_not_finite(tmp_path):
    context = EvaluationContext(make_run(tmp_path, "gan"), samples=30)
    context.generated = np.where(np.arange(30)[:, None, None, None] < 7, np.nan, np.zeros((30, 8, 8, 1)))
    content = measure(context, Progress(False))
    assert content["metrics"] == {"samples": None}
    assert draw(context, Progress(False))[1].keys() == {"samples", "neighbors"}
    assert content["about"]["samples"]["reason"] == "ValueError: 7 of 30 generated images hold NaN or infinity"


@pytest.fixture
def stacked(tmp_path, monkeypatch):
    """A subject whose images have a disc in each of three channels, large (1) or small (0): 8 modes."""
    images, labels = blobs(400, 1)
    np.savez(tmp_path / "single.npz", x_train=images, y_train=labels, x_test=blobs(60, 2)[0], y_test=blobs(60, 2)[1])
    monkeypatch.setattr(
        run_features.data, "load", lambda source, split, **options: LOAD(tmp_path / f"{source}.npz", split, **options)
    )
    run = make_run(tmp_path, "gan")
    run.config["data"] |= {"source": "stacked_single"}
    run.config["image_shape"] = [8, 8, 3]
    # clear cases, so that the classifier makes no mistake
    mean = images.mean((1, 2, 3))
    discs = [images[(labels == label) & clear] for label, clear in ((0, mean < 30), (1, mean > 90))]
    generator = np.random.default_rng(3)
    wanted = generator.integers(0, 2, (200, 3))
    wanted[wanted.all(axis=1)] = 0  # the mode 1 1 1 is never made
    made = [[discs[label][generator.integers(len(discs[label]))][..., 0] for label in row] for row in wanted]
    context = EvaluationContext(run, samples=200)
    context.generated = np.stack(made).transpose(0, 2, 3, 1).astype(np.float32) / 255
    context.shares = np.bincount(wanted @ [4, 2, 1], minlength=8) / 200
    context.single = np.bincount(labels) / len(labels)
    return context


LOAD = data.load


def test_modes_of_stacked_images(stacked):
    metrics, about = stacked_modes(stacked)
    assert list(metrics) == [f"{m}_classifier_200{floor}" for m in ("modes", "kl") for floor in ("", "_floor")]
    assert metrics["modes_classifier_200"] == 7 and metrics["modes_classifier_200_floor"] > 7.9
    q = np.einsum("a,b,c->abc", *[stacked.single] * 3).reshape(-1)
    p, seen = stacked.shares, stacked.shares > 0
    assert metrics["kl_classifier_200"] == pytest.approx(np.sum(p[seen] * np.log(p[seen] / q[seen])), abs=0.02)
    assert metrics["kl_classifier_200_floor"] == pytest.approx(7 / 400, rel=0.3)
    assert about["modes_classifier_200"]["unit"] == "modes of 8"


def test_features_of_stacked_images_are_those_of_their_channels(stacked):
    stacked.features = ("classifier",)
    features = extractors(stacked)["classifier"]
    single = feature_classifier(*labeled_images(stacked))
    images = stacked.generated[:5]
    found = features(images)
    assert found.shape == (5, 48) and "each channel by itself" in features.identity
    np.testing.assert_allclose(found[:, 16:32], single.features(images[..., 1:2]), rtol=1e-5)


def test_other_data_have_no_modes(tmp_path):
    assert stacked_modes(EvaluationContext(make_run(tmp_path, "gan"))) == ({}, {})
