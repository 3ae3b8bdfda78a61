"""Metrics of domain translation, on domains with known results."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_gen import zoo
from keras_gen.evaluation import evaluate
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.domain_translation import (
    counterfactual_error,
    cycle_consistency,
    domain_accuracy,
    transfer_accuracy,
    translation_distance,
)
from keras_gen.evaluation.metrics.domain_transfer import add_shifted_copies, domain_transfer
from keras_gen.evaluation.report import headline
from keras_gen.runs import Run

SHAPE = (16, 16, 3)
SETTINGS: dict[str, Any] = {"base_filters": 2, "blocks": 1}
TEXTURES = {"domains": ["plain", "striped"], "domain_field": "texture"}


def half_bright(num: int, invert: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images whose left or right half is bright, which is the label; the images of the other domain are inverted."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, num)
    images = generator.uniform(0, 0.3, (num, 8, 8, 1)).astype(np.float32)
    images[labels == 0, :, :4] += 0.6
    images[labels == 1, :, 4:] += 0.6
    return (1 - images if invert else images), labels


def test_a_correct_translation_preserves_the_classes_and_the_identity_swaps_them(tmp_path):
    source, target, test = (
        half_bright(400, False, 0),
        half_bright(400, True, 1),
        half_bright(300, True, 2),
    )
    translated = 1 - source[0], source[1]
    accuracies = domain_transfer(translated, source, target, test, folder=tmp_path, min_images=1600)
    assert accuracies.translated > 0.95 and accuracies.real > 0.95
    # inversion exchanges the bright and the dark half
    assert accuracies.untranslated is not None and accuracies.untranslated < 0.3
    cropped = source[0][:, :4], source[1]
    other = domain_transfer(translated, cropped, target, test, folder=tmp_path, min_images=1)
    assert other.untranslated is None


def test_a_small_set_is_augmented_by_shifted_copies():
    images = np.zeros((3, 5, 6, 2), np.float32)
    images[:, 2, 3, 1] = [0.25, 0.5, 0.75]
    augmented, labels = add_shifted_copies((images, np.array([4, 5, 6])), 10, seed=1)
    assert augmented.shape == (12, 5, 6, 2) and labels.tolist() == [4, 5, 6] * 4
    np.testing.assert_array_equal(augmented[:3], images)
    pixels = np.argwhere(augmented[..., 1] > 0)
    assert len(pixels) == 12 and (np.abs(pixels[:, 1:] - [2, 3]) <= 2).all()
    assert len(np.unique(pixels[:, 1:], axis=0)) > 4
    np.testing.assert_array_equal(augmented[..., 1].max(axis=(1, 2)), [0.25, 0.5, 0.75] * 4)
    again = add_shifted_copies((images, np.array([4, 5, 6])), 10, seed=1)[0]
    np.testing.assert_array_equal(again, augmented)
    same = (images, np.array([4, 5, 6]))
    assert add_shifted_copies(same, 3) is same


class Translators:
    """A stand-in for a CycleGAN with the given translators."""

    def __init__(self, a_to_b, b_to_a):
        self.a_to_b, self.b_to_a = (lambda x, batch_size, f=f: f(x) for f in (a_to_b, b_to_a))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An untrained CycleGAN on plain and striped shapes."""
    folder = tmp_path_factory.mktemp("runs")
    config = {
        "system": "cyclegan",
        "image_shape": list(SHAPE),
        "settings": SETTINGS,
        "data": {
            **{"source": "shapes/tiny", "splits": {"train": "train", "validation": None, "test": "test"}, **TEXTURES},
            "data_dir": str(folder / "tfds"),
        },
        "training": {"epochs": 0, "steps": None, "batch_size": 20, "seed": 0},
    }
    run = Run.create(folder / "cyclegan", config)
    zoo.build("cyclegan", SHAPE, seed=0, **SETTINGS).save(run.model_file)
    return run


def context(run, monkeypatch, *translators) -> EvaluationContext:
    monkeypatch.setattr(EvaluationContext, "model", Translators(*translators))
    return EvaluationContext(run)


def test_cycle_error_by_hand(run, monkeypatch):
    identity = cycle_consistency(context(run, monkeypatch, lambda x: x, lambda x: x))[0]
    assert identity == {f"cycle_error_{domain}{end}": 0 for domain in "ab" for end in ("", "_baseline")}
    darker = context(run, monkeypatch, lambda x: x, lambda x: 0.75 * x)
    means = [darker.batch(1000)[f"domain_{domain}"].mean() for domain in "ab"]
    metrics = cycle_consistency(darker)[0]
    assert [metrics[f"cycle_error_{domain}"] for domain in "ab"] == pytest.approx(
        [0.25 * mean for mean in means], rel=1e-5
    )


def test_ratio_of_the_identity_is_one(run, monkeypatch):
    metrics, about = counterfactual_error(context(run, monkeypatch, lambda x: x, lambda x: x))
    assert metrics["counterfactual_error_a_to_b_ratio"] == metrics["counterfactual_error_b_to_a_ratio"] == 1
    assert metrics["counterfactual_error_a_to_b"] == metrics["counterfactual_error_a_to_b_baseline"] > 0.01
    assert about["counterfactual_error_a_to_b"]["note"].endswith("32 true counterfactuals")
    assert about["counterfactual_error_b_to_a"]["note"].endswith("1 true counterfactuals")
    worse = counterfactual_error(context(run, monkeypatch, lambda x: 1 - x, lambda x: 1 - x))[0]
    assert worse["counterfactual_error_b_to_a_ratio"] > 2


def test_other_data_have_no_counterfactuals(run, monkeypatch):
    other = context(run, monkeypatch, lambda x: x, lambda x: x)
    monkeypatch.setitem(run.config["data"], "source", "photographs")
    assert counterfactual_error(other) == ({}, {})


@pytest.fixture
def folders(run, monkeypatch, tmp_path, small_classifier):
    """A run on folders trainA/, trainB/, testA/ and testB/, without labels: bright and dark images."""
    generator = np.random.default_rng(0)
    for split, num in (("train", 60), ("test", 20)):
        for letter, low in (("A", 0), ("B", 150)):
            folder = tmp_path / "data" / f"{split}{letter}"
            folder.mkdir(parents=True)
            for i in range(num):
                pixels = generator.integers(low, low + 100, SHAPE, np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    data = {"source": str(tmp_path / "data"), "splits": {"train": "train", "validation": None, "test": "test"}}
    monkeypatch.setitem(run.config, "data", data)
    return run


BRIGHTNESS = 150 / 255


def test_domains_without_labels_are_their_own_labels(folders, monkeypatch):
    correct = context(folders, monkeypatch, lambda x: x + BRIGHTNESS, lambda x: x - BRIGHTNESS)
    assert not {"label_a", "label_b"} & set(correct.batch(5))
    metrics, about = domain_accuracy(correct)
    assert metrics == {
        f"domain_accuracy_{direction}{end}": value
        for direction in ("a_to_b", "b_to_a")
        for end, value in (("", 1.0), ("_untranslated", 0.0), ("_real", 1.0))
    }
    assert about["domain_accuracy_a_to_b"]["images"] == 20
    assert about["domain_accuracy_a_to_b"]["training_images"] == 120
    identity = domain_accuracy(context(folders, monkeypatch, lambda x: x, lambda x: x))[0]
    assert identity["domain_accuracy_a_to_b"] == identity["domain_accuracy_b_to_a"] == 0
    assert transfer_accuracy(correct) == ({}, {})
    trained = context(folders, monkeypatch, lambda x: x, lambda x: x)
    trained.split = "train"
    assert {each["reason"] for each in domain_accuracy(trained)[1].values()} == {
        "the classifier is trained on the training split"
    }


def test_translations_are_compared_with_real_images_of_their_domain(folders, monkeypatch):
    correct = context(folders, monkeypatch, lambda x: x + BRIGHTNESS, lambda x: x - BRIGHTNESS)
    metrics, about = translation_distance(correct)
    name = "fd_small_v1_translated_20_test"
    assert list(metrics) == [name, f"{name}_floor"]
    # images of the same distribution as those of the floor: with 20 images, distances range from 3.3 to 5.8, and
    # those of the other domain from 44 to 48
    assert 0 < metrics[name] < 8 and 0 < metrics[f"{name}_floor"] < 8
    assert metrics[name] == pytest.approx((about[name]["a_to_b"] + about[name]["b_to_a"]) / 2)
    identity, about = translation_distance(context(folders, monkeypatch, lambda x: x, lambda x: x))
    assert identity[name] > 3 * metrics[name] and identity[f"{name}_floor"] == metrics[f"{name}_floor"]
    assert headline(identity, about) == {
        "metric": name, "value": identity[name], "floor": identity[f"{name}_floor"], "better": "lower"
    }  # fmt: skip
    halves = context(folders, monkeypatch, lambda x: x, lambda x: x)
    halves.split = "train"
    assert list(translation_distance(halves)[0])[0] == "fd_small_v1_translated_30_train"


def test_a_run_is_evaluated(run, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("keras_gen.evaluation.metrics.domain_transfer.TRAINING_IMAGES", 100)
    content = evaluate(run, verbose=False, max_images=60)
    num = min(60, *(EvaluationContext(run).count(role) for role in ("train", "test")))
    assert json.loads(run.evaluation_file.read_text()) == content
    assert set(content["metrics"]) == {
        *(f"cycle_error_{domain}{end}" for domain in "ab" for end in ("", "_baseline")),
        *(f"fd_small_v1_translated_{num}_test{end}" for end in ("", "_floor")),
        *(f"domain_accuracy_{d}{end}" for d in ("a_to_b", "b_to_a") for end in ("", "_untranslated", "_real")),
        *(f"transfer_accuracy_{d}{end}" for d in ("a_to_b", "b_to_a") for end in ("", "_untranslated", "_real")),
        *(f"counterfactual_error_{d}{end}" for d in ("a_to_b", "b_to_a") for end in ("", "_baseline", "_ratio")),
    }
    assert None not in content["metrics"].values() and set(content["pictures"]) == {"translations"}
    assert (run.path / content["pictures"]["translations"]).is_file()
