"""`train(updates=...)` and `train(minutes=...)`: the length is fixed first, and the training is then as any other."""

import dataclasses
import json
import signal

import numpy as np
import pytest

from keras_gen import runs, zoo
from keras_gen.training import calibration, fitting
from keras_gen.training.calibration import Calibration
from keras_gen.training.length import TRAINING, Length, Plan
from keras_gen.training.session import variables_of
from keras_gen.training.train import train
from tests.small import SMALL

from .test_fitting import CallAt, assert_same, custom_model, state
from .test_stopping import send


@pytest.fixture
def fixed(monkeypatch):
    """Measures in full, but then chooses four epochs of two steps; the list has the arguments of the choice."""
    received = []

    def fit_into(*args, **kwargs):
        received.append((args, kwargs))
        return Plan(Length(4, 2), {}, 12.0)

    monkeypatch.setattr(fitting, "fit_into", fit_into)
    return received


def test_minutes_are_fixed_before_the_training_and_change_nothing_else(toy_images, tmp_path, fixed, capsys):
    whole = train("vae", toy_images, tmp_path / "whole", epochs=4, steps=2, **SMALL)
    with pytest.raises(SystemExit):
        train("vae", toy_images, tmp_path / "run", minutes=2.5, callbacks=[CallAt(2, 2, send(signal.SIGTERM))],
              **{**SMALL, "verbose": 2})  # fmt: skip
    output = capsys.readouterr().out
    assert output.index("Measured in ") < output.index("VAE, ") and "4 epochs of 2 updates take about 12 s" in output
    training = json.loads((tmp_path / "run" / "config.json").read_text())["training"]
    assert (training["epochs"], training["steps"], training["minutes"]) == (4, 2, 2.5) and training["updates"] is None
    run = train("vae", None, tmp_path / "run", minutes=2.5, resume=True, verbose=0)
    assert_same(run, whole)
    ((seconds, (part,), batches), options) = fixed[0]
    assert 75 <= seconds < 150 and (part.name, part.updates, batches) == (TRAINING, zoo.get("vae").updates, 3)
    assert part.speed.step > 0 and part.speed.between > 0 and options["steps"] is None and len(fixed) == 1
    with pytest.raises(ValueError, match="minutes is 2.5, received 3"):
        train("vae", None, tmp_path / "run", minutes=3, resume=True)


def test_an_extended_run_of_some_minutes_continues(toy_images, tmp_path, fixed):
    run = train("autoencoder", toy_images, tmp_path / "run", minutes=1, **SMALL)
    longer = train(None, None, run.path, resume=True, epochs=5, verbose=0)
    whole = train("autoencoder", toy_images, tmp_path / "whole", epochs=5, steps=2, **SMALL)
    assert_same(longer, whole)


def test_minutes_with_a_model_of_ones_own(toy_images, tmp_path, fixed):
    options = {"batch_size": 60, "verbose": 0}
    whole = train(custom_model(), toy_images, tmp_path / "whole", epochs=4, steps=2, **options)
    assert_same(train(custom_model(), toy_images, tmp_path / "run", minutes=1, **options), whole)


def test_a_gan_of_some_minutes_equals_one_of_the_same_epochs(toy_images, tmp_path, fixed):
    options = {**SMALL, "settings": {"hidden_units": 8, "latent_size": 2}}
    whole = train("gan", toy_images, tmp_path / "whole", epochs=4, steps=2, **options)
    assert_same(train("gan", toy_images, tmp_path / "run", minutes=1, **options), whole)


def test_ctrl_c_while_the_speed_is_measured_leaves_no_run(toy_images, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Calibration, "measure", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train("vae", toy_images, tmp_path / "run", minutes=1, **SMALL)
    assert "No run was created yet" in capsys.readouterr().err and not (tmp_path / "run").exists()


class Ticking:
    """A clock that advances at every look."""

    def __init__(self, tick: float):
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def test_the_speed_that_a_clock_measures(toy_run, monkeypatch):
    monkeypatch.setattr(calibration, "SECONDS", 0.4)
    model, training, validation = toy_run.load_model(), toy_run.dataset("train"), toy_run.dataset("validation")
    before = [np.array(variable.numpy()) for variable in variables_of(model)]
    measured = Calibration(training, validation, 60, fitting.strategies.get("default"), Ticking(0.1))
    speed = measured.measure(model, 100)
    # a step and a batch of the validation each end one look after they began; the whole has a look before and after
    # it, and two for each of three steps and one batch: 9 intervals, of which 3 are steps and 1 is the validation
    assert speed.step == pytest.approx(0.1)
    assert speed.between == pytest.approx(0.1 * (9 - 3 - 1) + 0.1 * 1)
    assert measured.spent > 1.8
    for variable, value in zip(variables_of(model), before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)


def test_updates_are_rounded_up_to_epochs(toy_images, tmp_path):
    run = train("vae", toy_images, tmp_path / "run", updates=5, **SMALL)
    training = run.config["training"]
    assert (training["epochs"], training["steps"], training["updates"]) == (5, 1, 5)
    assert state(run)[0].startswith("epoch_0005") and len(run.metrics_file.read_text().splitlines()) == 6


def test_the_default_length_is_the_systems_updates(toy_images, tmp_path, monkeypatch):
    monkeypatch.setitem(zoo.SYSTEMS, "autoencoder", dataclasses.replace(zoo.get("autoencoder"), updates=70))
    run = train("autoencoder", toy_images, tmp_path / "run", patience=1, learning_rate=1e-30, **SMALL)
    training = run.config["training"]
    assert (training["epochs"], training["steps"], training["updates"]) == (24, None, 70)
    assert run.load_model().train_steps <= 3 * 24 and runs.Run.open(run.path).config == run.config


def test_steps_alone_define_the_epochs(toy_images, tmp_path):
    run = train("autoencoder", toy_images, tmp_path / "run", updates=5, steps=3, **SMALL)
    assert (run.config["training"]["epochs"], run.config["training"]["steps"]) == (2, 3)
