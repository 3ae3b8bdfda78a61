"""Runs of a growing model: metrics, exact resume in a fade-in and in a stable phase, evaluation before the end."""

import os
import signal
import subprocess
import sys

import pytest

import keras_gen
from keras_gen.models import ProgressiveGAN
from keras_gen.runs.history import read_rows
from keras_gen.training import fitting
from keras_gen.training.length import Length, Plan
from keras_gen.training.train import train

from .test_fitting import ROOT, assert_same

SETTINGS = {"base_filters": 4, "latent_size": 3, "group_size": 2, "fade_images": 24, "stable_images": 24}
# an epoch has 24 images at 4x4 and 12 at 8x8: the fade-in takes the epochs 2 and 3
SMALL = {"batch_size": 4, "steps": 3, "settings": SETTINGS, "verbose": 0}
EPOCHS = 5


@pytest.fixture(scope="module")
def finished(toy_images, tmp_path_factory):
    return train("progan", toy_images, tmp_path_factory.mktemp("runs") / "progan", epochs=EPOCHS, **SMALL)


def test_metrics_include_resolution_and_alpha(finished):
    rows = read_rows(finished.metrics_file)
    assert [row["resolution"] for row in rows] == [4, 8, 8, 8, 8]
    assert [round(row["alpha"], 3) for row in rows] == [1, 0.167, 0.667, 1, 1]
    assert len(list(finished.samples.iterdir())) == EPOCHS
    model = finished.load_model()
    assert model.stable_stage == 1 and model.generate(2, seed=0).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    "epoch",
    [pytest.param(3, id="in a fade-in"), pytest.param(5, id="in a stabilization", marks=pytest.mark.slow)],
)
def test_a_killed_run_resumes_bit_for_bit(finished, toy_images, tmp_path, epoch):
    program = f"""
import os, signal
from keras_gen.training import train
from tests.training.test_fitting import CallAt
kill = CallAt({epoch}, 2, lambda model: os.kill(os.getpid(), signal.SIGKILL))
train("progan", {str(toy_images)!r}, {str(tmp_path / "run")!r}, epochs={EPOCHS}, callbacks=[kill], **{SMALL!r})
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(read_rows(tmp_path / "run" / "metrics.csv")) == epoch - 1
    assert_same(train(None, None, tmp_path / "run", resume=True, verbose=0), finished)


def test_minutes_are_measured_in_every_phase_and_leave_the_model_as_it_was(finished, toy_images, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "fit_into", lambda *args, **kwargs: Plan(Length(EPOCHS, 3), {}, 60.0))
    entered = []

    def enter_phase(model, number):
        entered.append(number)
        original(model, number)

    original = ProgressiveGAN.enter_phase
    monkeypatch.setattr(ProgressiveGAN, "enter_phase", enter_phase)
    run = train("progan", toy_images, tmp_path / "run", minutes=1, **SMALL)
    assert entered[:2] == [0, 1]
    assert_same(run, finished)


def test_growing_takes_about_half_of_any_length(toy_images, tmp_path):
    settings = {name: value for name, value in SETTINGS.items() if not name.endswith("_images")}
    run = train("progan", toy_images, tmp_path / "run", epochs=4, **{**SMALL, "settings": settings})
    assert run.config["settings"]["fade_images"] == run.config["settings"]["stable_images"] == 12
    assert [row["resolution"] for row in read_rows(run.metrics_file)] == [4, 8, 8, 8]
    assert run.load_model().fade_images == 12


def test_a_growing_run_is_evaluated_at_its_current_resolution(toy_images, tmp_path):
    run = train("progan", toy_images, tmp_path / "run", epochs=2, **SMALL)
    assert run.load_model().stable_stage == 0
    content = keras_gen.evaluate(run, samples=40, split="train", verbose=False)
    assert content["metrics"]["fd_small_v1_40_train"] is not None and content["pictures"]["stages"]


def test_invalid_image_sizes_are_refused(toy_images, tmp_path):
    with pytest.raises(ValueError, match="can grow by doubling.*received 30x30"):
        train("progan", toy_images, tmp_path / "run", image_size=30, epochs=1, **SMALL)
    assert not (tmp_path / "run").exists()
