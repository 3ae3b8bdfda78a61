"""Fixtures shared by tests of evaluation."""

from typing import NamedTuple

import numpy as np
import pytest

from keras_gen import data
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.features import classifier, of_run

from .toys import blobs, make_run


@pytest.fixture
def small_classifier(monkeypatch, tmp_path):
    """A small evaluation classifier, cached in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = {"base_filters": 8, "dense_units": 16, "epochs": 15, "batch_size": 32, "learning_rate": 3e-3}
    for name, value in small.items():
        monkeypatch.setitem(classifier.SETTINGS, name, value)


class Stacked(NamedTuple):
    """An evaluation context of stacked images, and the true frequencies.

    Attributes:
        context: The context, with 200 generated images.
        frequencies: Frequencies of the 8 modes in the generated images [8].
        single: Frequencies of the two labels in the single images [2].
    """

    context: EvaluationContext
    frequencies: np.ndarray
    single: np.ndarray


@pytest.fixture
def stacked(tmp_path, monkeypatch, small_classifier) -> Stacked:
    """Images with a disc in each of three channels, large (1) or small (0): 8 modes."""
    images, labels = blobs(400, 1)
    np.savez(tmp_path / "single.npz", x_train=images, y_train=labels, x_test=blobs(60, 2)[0], y_test=blobs(60, 2)[1])
    load = data.load
    monkeypatch.setattr(
        of_run.data, "load", lambda source, split, **options: load(tmp_path / f"{source}.npz", split, **options)
    )
    run = make_run(tmp_path, "gan")
    run.config["data"] |= {"source": "stacked_single"}
    run.config["image_shape"] = [8, 8, 3]
    # unambiguous discs, so that the classifier makes no error
    mean = images.mean((1, 2, 3))
    discs = [images[(labels == label) & clear] for label, clear in ((0, mean < 30), (1, mean > 90))]
    generator = np.random.default_rng(3)
    modes = generator.integers(0, 2, (200, 3))
    modes[modes.all(axis=1)] = 0  # the mode 1 1 1 is missing
    generated = [[discs[label][generator.integers(len(discs[label]))][..., 0] for label in mode] for mode in modes]
    context = EvaluationContext(run, samples=200)
    context.generated_images = np.stack(generated).transpose(0, 2, 3, 1).astype(np.float32) / 255
    frequencies = np.bincount(modes @ [4, 2, 1], minlength=8) / 200
    return Stacked(context, frequencies, np.bincount(labels) / len(labels))
