"""Training with a preset: what config.json says, and a resume that does not depend on the declaration."""

import dataclasses

import keras
import pytest

import keras_gen
from keras_gen import training, zoo

TOY = {"hidden_units": [8], "discriminator_units": 8, "latent_size": 2}


def test_a_run_resumes_as_it_began_although_its_preset_has_changed(tmp_path, toy_images, monkeypatch):
    options = {"batch_size": 60, "image_size": 8, "learning_rate": 1e-4, "settings": TOY}
    run = training.train("aae", toy_images, tmp_path / "run", preset="paper", epochs=1, verbose=0, **options)
    assert run.config["preset"] == "paper" and run.config["settings"]["prior"]["scale"] == 5.0
    assert "| preset | paper |" in run.card_file.read_text()
    changed = dataclasses.replace(zoo.get("aae"), presets={}, learning_rate_multipliers={})
    monkeypatch.setitem(zoo.SYSTEMS, "aae", changed)
    resumed = training.train(None, None, run.path, resume=True, epochs=2, verbose=0)
    assert len(resumed.metrics_file.read_text().splitlines()) == 3
    model = keras_gen.load(resumed.path)
    assert {player: type(optimizer) for player, optimizer in model.optimizers.items()} == dict.fromkeys(
        ("reconstruction", "discriminator", "regularization"), keras.optimizers.SGD
    )
    assert [optimizer.momentum for optimizer in model.optimizers.values()] == [0.9, 0.1, 0.1]
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
    assert rates == pytest.approx([1e-6, 1e-4, 1e-4])
