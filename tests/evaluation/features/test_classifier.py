from typing import Any

import keras
import numpy as np
import pytest

from keras_gen.evaluation import feature_extractor
from keras_gen.evaluation.features import classifier
from keras_gen.evaluation.features.classifier import feature_classifier
from tests.evaluation.toys import blobs

SETTINGS: dict[str, Any] = {"epochs": 15, "base_filters": 8, "dense_units": 16, "batch_size": 32, "learning_rate": 3e-3}


def labeled(num, seed):
    images, labels = blobs(num, seed)
    return images.astype(np.float32) / 255.0, labels


TRAIN, TEST = labeled(400, 1), labeled(100, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classifier")


@pytest.fixture(scope="module")
def trained_classifier(folder):
    keras.utils.set_random_seed(5)
    return feature_classifier(TRAIN, TEST, folder=folder, settings=SETTINGS)


@pytest.fixture
def fail_if_trained(monkeypatch):
    def fail(*arguments):
        raise AssertionError("trained again")

    monkeypatch.setattr(classifier, "_fit", fail)


def test_classifier_learns_the_labels(trained_classifier):
    assert trained_classifier.accuracy > 0.85  # half of the discs are large
    assert trained_classifier.accuracy == np.mean(trained_classifier.classify(TEST[0]) == TEST[1])


def test_logits_are_a_linear_function_of_the_features(trained_classifier):
    hidden = trained_classifier.features(TEST[0])
    assert hidden.shape == (100, 16)
    kernel, bias = trained_classifier.network.layers[-1].get_weights()
    np.testing.assert_array_equal((hidden @ kernel + bias).argmax(axis=1), trained_classifier.classify(TEST[0]))


def test_classifier_is_cached(trained_classifier, folder, fail_if_trained):
    again = feature_classifier(TRAIN, TEST, folder=folder, settings=SETTINGS)
    assert (again.key, again.accuracy) == (trained_classifier.key, trained_classifier.accuracy)
    np.testing.assert_array_equal(again.features(TEST[0]), trained_classifier.features(TEST[0]))
    assert [file.name for file in (folder / "keras_gen_cache" / "classifiers").iterdir()] == [
        f"{trained_classifier.key}.npz"
    ]


@pytest.mark.parametrize(
    "train, seed, settings",
    [
        (TRAIN, 1, SETTINGS),
        (TRAIN, 0, {**SETTINGS, "epochs": 16}),
        ((TRAIN[0], 1 - TRAIN[1]), 0, SETTINGS),
        ((np.minimum(TRAIN[0], 0.99), TRAIN[1]), 0, SETTINGS),
    ],
)
def test_different_arguments_have_different_keys(trained_classifier, folder, fail_if_trained, train, seed, settings):
    with pytest.raises(AssertionError, match="trained again"):
        feature_classifier(train, TEST, folder=folder, seed=seed, settings=settings)


def test_global_seed_has_no_effect(trained_classifier, tmp_path):
    keras.utils.set_random_seed(6)
    again = feature_classifier(TRAIN, TEST, folder=tmp_path, settings=SETTINGS)
    # the order of additions depends on threads
    np.testing.assert_allclose(again.features(TEST[0]), trained_classifier.features(TEST[0]), atol=1e-3)


def test_cache_folder_of_the_data(trained_classifier, folder, fail_if_trained, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "keras_gen").mkdir()
    (folder / "keras_gen_cache" / "classifiers").rename(tmp_path / "keras_gen" / "classifiers")
    try:
        assert feature_classifier(TRAIN, TEST, settings=SETTINGS).key == trained_classifier.key
    finally:
        (tmp_path / "keras_gen" / "classifiers").rename(folder / "keras_gen_cache" / "classifiers")


def test_as_features(trained_classifier, folder, monkeypatch):
    monkeypatch.setitem(classifier.SETTINGS, "epochs", 1)
    extract = feature_extractor("classifier", train=TRAIN, test=TEST, folder=folder)
    assert extract(TEST[0]).shape == (100, 128)
    assert "100 other images" in extract.identity and trained_classifier.key[:12] not in extract.identity


def test_errors(folder):
    images, labels = TRAIN
    for train, settings, message in (
        (TRAIN, {"depth": 3}, "Expected settings from version, base_filters.*; received depth"),
        ((images, labels[:-1]), {}, "Expected training images"),
        ((images, labels + 0.5), {}, "integer training labels"),
        ((images, np.zeros(400, int)), {}, "2 or more classes"),
        ((images[:, :, :6], labels), {}, "of the training images' shape"),
    ):
        with pytest.raises(ValueError, match=message):
            feature_classifier(train, TEST, folder=folder, settings=settings)
