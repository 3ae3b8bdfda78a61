"""Two workers started from the command line: their files, their states, and their errors."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_gen import runs
from keras_gen.runs.checkpoints import Checkpoints, State
from keras_gen.runs.history import read_rows
from keras_gen.training import strategies
from keras_gen.training.session import Session
from keras_gen.training.train import train
from tests.small import SMALL


@pytest.fixture(scope="module")
def mirrored(toy_images, tmp_path_factory):
    """A run of two epochs on two logical CPU devices."""
    out = tmp_path_factory.mktemp("runs") / "mirrored"
    return train("vae", toy_images, out, epochs=2, strategy="mirrored", **SMALL)


def launch(*arguments):
    command = [sys.executable, "-m", "keras_gen.cli", "launch", "--workers", "2", "--", "train", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_two_workers_equal_two_devices_after_one_lost_its_states(toy_images, mirrored, tmp_path):
    out, small = tmp_path / "run", SMALL["settings"]
    settings = [part for name, value in small.items() for part in ("--set", f"{name}={value}")]
    launch("vae", "--data", toy_images, "--out", out, "--epochs", 1, "--batch-size", SMALL["batch_size"], *settings)
    shutil.rmtree(out / "checkpoints" / "worker_1")  # the worker reads the chief's states instead
    launch("--resume", "--out", out, "--epochs", 2)
    run = runs.Run.open(out)
    # the same sums in a different order (float32, three steps per epoch)
    for row, other_row in zip(read_rows(run.metrics_file), read_rows(mirrored.metrics_file), strict=True):
        assert row == pytest.approx(other_row, rel=1e-5)
    for weight, other_weight in zip(run.load_model().weights, mirrored.load_model().weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), other_weight.numpy(), atol=2e-5, err_msg=weight.path)
    # the chief writes the run, and each worker its own states
    assert len(list(run.samples.iterdir())) == 2
    assert {path.name for path in (run.checkpoints / "worker_1").iterdir()} == {"checkpoints", ".lock"}
    chief, worker = Checkpoints(run.checkpoints), Checkpoints(run.checkpoints / "worker_1" / "checkpoints")
    assert chief.states == worker.states == [State(1), State(2)]
    assert chief.record(State(2))["rows"] == worker.record(State(2))["rows"]


def test_workers_without_a_common_state_are_refused(mirrored, monkeypatch):
    """The other worker has no states and cannot read those of the chief."""
    session = Session(
        mirrored.load_model(), tf.distribute.get_strategy(), Checkpoints(mirrored.checkpoints), mirrored.config
    )
    other = np.full(4, -1)
    monkeypatch.setattr(strategies, "gather", lambda devices, own: np.stack([own, other]))
    before = session.checkpoints.states
    with pytest.raises(
        ValueError,
        match=r"all workers have; received replica 0: epoch 1, epoch 2; replica 1: none. Copy the files epoch_\*",
    ):
        session.restore()
    new_session = Session(session.model, session.devices, Checkpoints(mirrored.path / "none"), mirrored.config)
    other[:2] = (0, 0)  # killed while the first states were written: nothing is lost
    assert not new_session.restore() and new_session.state == State(0)
    other[:2] = (1, 0)  # it was stopped an epoch earlier
    assert session.restore() and session.state == State(1) and before == [State(1), State(2)]


def test_when_one_worker_fails_the_others_stop(monkeypatch):
    failed = []
    monkeypatch.setattr(strategies, "has_workers", lambda devices: True)
    monkeypatch.setattr(strategies, "gather", lambda devices, own: np.array([[own[0]], [int(bool(failed))]]))
    with pytest.raises(ZeroDivisionError), strategies.together(None):
        raise ZeroDivisionError
    with strategies.together(None):
        pass
    failed.append(1)
    with pytest.raises(strategies.WorkerLostError, match="Replica 1 could not start: see the error of that worker"):
        with strategies.together(None):
            pass
