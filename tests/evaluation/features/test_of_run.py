import numpy as np
import pytest

from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.samples import samples
from keras_gen.evaluation.features import extractors as feature_extractors
from keras_gen.evaluation.features.classifier import feature_classifier
from keras_gen.evaluation.features.extractors import Features
from keras_gen.evaluation.features.of_run import extractors, labeled_images
from tests.evaluation.toys import blobs, make_run


@pytest.fixture(autouse=True)
def _small_classifier(small_classifier):
    """All tests use the small classifier."""


def test_classifier_scores_of_a_labeled_run(tmp_path, monkeypatch):
    def fail():
        raise OSError("no network")

    monkeypatch.setitem(feature_extractors.FEATURES, "inception", fail)
    run = make_run(tmp_path, "gan")
    context = EvaluationContext(run, samples=40, features=("classifier", "inception", "pyramid"))
    metrics, about = samples(context)
    assert metrics["fd_classifier_40_test"] > 10 * metrics["fd_classifier_40_test_floor"] > 0  # gray noise
    assert "accuracy" in about["fd_classifier_40_test"]["features"]
    assert metrics["fd_inception_40_test"] is None and about["fd_inception_40_test"]["reason"] == "no network"
    assert metrics["swd_pyramid_8_40_test"] is None and "16 pixels" in about["swd_pyramid_8_40_test"]["reason"]
    # the default features are always among them
    assert metrics["fd_small_v1_40_test"] > 2 * metrics["fd_small_v1_40_test_floor"] > 0
    assert not any("_pixels_" in name for name in metrics)
    assert len(list((tmp_path / "cache" / "keras_gen" / "classifiers").glob("*.npz"))) == 1


def test_classifier_does_not_depend_on_seed_or_split(tmp_path):
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


def test_stacked_images_are_classified_by_channel(stacked):
    context = stacked.context
    context.features = ("classifier",)
    features = extractors(context)["classifier"]
    assert isinstance(features, Features)
    single = feature_classifier(*labeled_images(context))
    images = context.generated_images[:5]
    values = features(images)
    assert values.shape == (5, 48) and "each channel separately" in features.identity
    np.testing.assert_allclose(values[:, 16:32], single.features(images[..., 1:2]), rtol=1e-5)
