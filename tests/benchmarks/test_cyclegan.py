"""The experiments of CycleGAN: valid settings, ablations at an equal budget, and the end of training."""

import json

import keras
import numpy as np
import pytest

from benchmarks import cyclegan
from benchmarks.cyclegan import CONFIGURATIONS, Configuration
from keras_gen import data, zoo


def test_settings_are_valid_in_the_zoo():
    for it in CONFIGURATIONS.values():
        assert set(it.settings) <= set(zoo.get("cyclegan").settings)
        assert it.image_shape in (cyclegan.DIGITS, cyclegan.SHAPES) and it.steps % cyclegan.REPORTED == 0
    full = CONFIGURATIONS["shapes_short"]
    assert full.settings == CONFIGURATIONS["shapes"].settings
    for name, weight in (("cycle", "cycle_weight"), ("adversarial", "adversarial_weight")):
        ablation = CONFIGURATIONS[f"shapes_without_{name}"]
        assert ablation.settings == {**full.settings, weight: 0.0}
        assert (ablation.steps, ablation.rate, ablation.batch_size) == (full.steps, full.rate, full.batch_size)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Replaces MNIST and USPS by two small datasets, and the folder of models by a temporary one."""
    generator = np.random.default_rng(0)
    for name, num in (("mnist", 24), ("usps", 20)):
        arrays = {f"x_{split}": generator.random((num, 28, 28, 1), np.float32) for split in ("train", "test")}
        labels = {f"y_{split}": np.arange(num) % 10 for split in ("train", "test")}
        np.savez(tmp_path / f"{name}.npz", **arrays, **labels)
    load = data.load

    def from_files(source, *arguments, **options):
        return load(source.replace("mnist", str(tmp_path / "mnist.npz"), 1) if source.startswith("mnist") else source,
                    *arguments, **options)  # fmt: skip

    monkeypatch.setattr(cyclegan.data, "load", from_files)
    monkeypatch.setattr(cyclegan, "WEIGHTS", tmp_path)
    settings = {"base_filters": 2, "blocks": 1}
    monkeypatch.setitem(CONFIGURATIONS, "tiny", Configuration("", "digits", 4, settings, batch_size=4, source="b"))
    monkeypatch.setattr(cyclegan, "semantic_classifier", lambda source, seed: keras.Sequential(
        [keras.Input(cyclegan.DIGITS), keras.layers.Flatten(), keras.layers.Dense(10)]))  # fmt: skip
    return str(tmp_path / "usps.npz")


@pytest.mark.parametrize("seconds, steps", [(None, 4), pytest.param(1e-3, 2, marks=pytest.mark.slow)])
def test_training_runs_its_steps_or_stops_early(tiny, tmp_path, monkeypatch, seconds, steps):
    monkeypatch.setattr(cyclegan, "REPORTED", 2)
    cyclegan.train("tiny", 1, None, seconds, tiny, None)
    about = json.loads((tmp_path / "cyclegan_tiny_1.json").read_text())
    assert about["steps"] == steps and np.isfinite(list(about["last"].values())).all()
    model = keras.saving.load_model(tmp_path / "cyclegan_tiny_1.keras")
    assert model.classifier is not None and model.source == "b"
    picture = cyclegan.picture(CONFIGURATIONS["tiny"], model, tiny, None, rows=2)
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert float(model.optimizer.learning_rate) == 0.0


def test_a_missing_file_of_digits_is_an_error():
    with pytest.raises(SystemExit, match="--usps"):
        cyclegan.pairs(CONFIGURATIONS["digits"], "train", None, batch_size=2)
