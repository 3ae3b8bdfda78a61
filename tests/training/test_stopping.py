"""`train` on runs that are stopped by signals, or whose files are lost, damaged or in use."""

import os
import shutil
import signal

import keras
import numpy as np
import pytest

from keras_gen import files, runs
from keras_gen.runs.checkpoints import Checkpoints, State
from keras_gen.runs.history import read_rows
from keras_gen.training import fitting
from keras_gen.training.session import ReplicasDifferError
from keras_gen.training.train import train
from tests.small import SMALL

from .test_fitting import CallAt, assert_same


def send(*numbers):
    def act(model):
        for number in numbers:
            os.kill(os.getpid(), number)

    return act


@pytest.fixture
def copied(toy_run, tmp_path):
    """A copy of a finished run of four epochs, which a test may damage."""
    shutil.copytree(toy_run.path, tmp_path / "run")
    return runs.Run.open(tmp_path / "run")


def states(run):
    return Checkpoints(run.checkpoints).states


def content(run):
    """Returns the content of every file except the empty lock file."""
    files = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}
    return {file: value for file, value in files.items() if file.name != ".lock"}


def flip_bit(file):
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)


def test_a_run_stopped_by_sigterm_resumes_exactly(toy_run, toy_images, tmp_path, capsys):
    stop = CallAt(3, 2, send(signal.SIGTERM))
    with pytest.raises(SystemExit) as stop_info:
        train("vae", toy_images, tmp_path / "run", epochs=4, callbacks=[stop], **SMALL)
    assert stop_info.value.code == 143
    output = capsys.readouterr().err
    assert "SIGTERM: saving after this step. A second signal stops at once" in output
    assert "stopped by SIGTERM after step 2 of epoch 3, which is saved. To continue: keras-gen train --resume" in output
    run = runs.Run.open(tmp_path / "run")
    assert states(run) == [State(2), State(2, 2)] and len(read_rows(run.metrics_file)) == 2
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert_same(train(None, None, run.path, resume=True, verbose=0), toy_run)


def test_ctrl_c_twice_in_one_epoch(toy_images, tmp_path):
    """A GAN, whose metrics continue across stops; the run is stopped twice in one epoch, and at its end."""
    options = {**SMALL, "epochs": 2, "settings": {"hidden_units": 8, "latent_size": 2, "penalty": "r1"}}
    full = train("gan", toy_images, tmp_path / "whole", **options)
    for step, expected in ((1, State(1, 1)), (1, State(1, 2)), (1, State(2))):
        stop = CallAt(2, step, send(signal.SIGINT))
        again = {"resume": True} if (tmp_path / "run").exists() else {}
        with pytest.raises(KeyboardInterrupt):
            train("gan", toy_images, tmp_path / "run", callbacks=[stop], **options, **again)
        assert states(full.__class__.open(tmp_path / "run"))[-1] == expected
    assert_same(train(None, None, tmp_path / "run", resume=True, verbose=0), full)


def test_a_second_signal_stops_at_once(toy_images, tmp_path, capsys):
    stop = CallAt(2, 2, send(signal.SIGTERM, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        train("vae", toy_images, tmp_path / "run", epochs=3, callbacks=[stop], **SMALL)
    assert states(runs.Run.open(tmp_path / "run")) == [State(0), State(1)]
    assert "stopped at once. To continue: keras-gen train --resume --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "where, message", [("_announce", "To continue: keras-gen"), ("_datasets", "No run was created")]
)
def test_a_signal_before_the_first_step_stops_at_once(toy_images, tmp_path, monkeypatch, capsys, where, message):
    monkeypatch.setattr(fitting, where, lambda *_: send(signal.SIGTERM)(None))
    with pytest.raises(SystemExit) as stop_info:
        train("vae", toy_images, tmp_path / "run", epochs=1, **SMALL)
    assert stop_info.value.code == 143 and f"stopped at once. {message}" in capsys.readouterr().err


def test_a_signal_at_the_end_of_the_last_epoch_ends_the_process_after_the_run(toy_run, toy_images, tmp_path):
    last = keras.callbacks.LambdaCallback(on_train_end=lambda logs: send(signal.SIGTERM)(None))
    with pytest.raises(SystemExit):
        train("vae", toy_images, tmp_path / "run", epochs=4, callbacks=[last], **SMALL)
    assert_same(runs.Run.open(tmp_path / "run"), toy_run)


def test_a_growing_run_stopped_at_the_end_of_a_phase_resumes_exactly(toy_images, tmp_path):
    """After two of three steps the phase has used its images, but a phase ends only at the end of an epoch."""
    settings = {"base_filters": 4, "latent_size": 3, "group_size": 2, "fade_images": 16, "stable_images": 16}
    options = {"batch_size": 4, "steps": 3, "settings": settings, "verbose": 0, "epochs": 2}
    full = train("progan", toy_images, tmp_path / "whole", **options)
    with pytest.raises(SystemExit):
        train(
            "progan",
            toy_images,
            tmp_path / "run",
            callbacks=[CallAt(1, 2, send(signal.SIGTERM))],
            **options,
        )
    assert states(runs.Run.open(tmp_path / "run")) == [State(0), State(0, 2)]
    assert_same(train(None, None, tmp_path / "run", resume=True, verbose=0), full)
    assert [row["resolution"] for row in read_rows(tmp_path / "run" / "metrics.csv")] == [4, 8]


def test_a_run_without_states_cannot_resume_but_its_model_can_initialize_another(copied, toy_images, tmp_path, capsys):
    shutil.rmtree(copied.checkpoints)
    before = content(copied)
    with pytest.raises(FileNotFoundError) as error:
        train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    message = str(error.value)
    assert "checkpoints; it has none, and nothing was changed" in message
    assert "--initial-weights" in message and "--overwrite" in message
    assert {file: value for file, value in content(copied).items() if "checkpoints" not in str(file)} == before

    other = train("vae", toy_images, tmp_path / "other", epochs=1, initial_weights=copied.path, **SMALL)
    assert other.config["training"]["initial_weights"] == str(copied.path)
    # three steps after the twelve steps of the initial model
    assert other.load_model().optimizer.iterations == 15
    with pytest.raises(ValueError, match="Expected the weights of a model of the same system"):
        train("vae", toy_images, tmp_path / "third", initial_weights=copied.path, epochs=1, batch_size=60, verbose=0)
    assert not (tmp_path / "third").exists()


def test_a_run_killed_before_its_first_state_restarts(toy_run, toy_images, tmp_path):
    """Such a run contains only config.json."""
    (tmp_path / "run").mkdir()
    shutil.copy(toy_run.path / "config.json", tmp_path / "run")
    assert_same(train(None, None, tmp_path / "run", resume=True, verbose=0), toy_run)


def test_damaged_states_are_never_loaded(copied, toy_run, capsys):
    flip_bit(copied.checkpoints / "epoch_0004.weights.h5")
    train(None, None, copied.path, resume=True, verbose=0)
    output = capsys.readouterr().err
    assert "epoch_0004.weights.h5 is damaged" in output and "Continuing from epoch 3, which is intact" in output
    assert_same(copied, toy_run)
    for file in copied.checkpoints.glob("*.h5"):
        flip_bit(file)
    before = content(copied)
    with pytest.raises(ValueError, match="No state in .* is intact.*epoch_0003.weights.h5.*epoch_0004.weights.h5"):
        train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert content(copied) == before


@pytest.mark.parametrize("damage", ["lost", "truncated", "edited"])
def test_lost_metrics_and_model_are_restored_from_the_states(copied, capsys, damage):
    full = copied.metrics_file.read_text()
    if damage == "lost":
        copied.metrics_file.unlink()
        copied.model_file.unlink()
    else:
        copied.metrics_file.write_text(full[:60] if damage == "truncated" else full.replace("4", "5"))
        flip_bit(copied.model_file)
    train(None, None, copied.path, resume=True, epochs=5, patience=9, verbose=0)
    assert copied.metrics_file.read_text().startswith(full)
    assert "metrics.csv was lost or changed; it was written again" in capsys.readouterr().err
    assert copied.load_model().generate(1, seed=0).shape == (1, 8, 8, 1)


def test_an_edited_config_is_refused_and_nothing_is_changed(copied):
    runs.write_json(
        copied.path / "config.json", {**copied.config, "settings": {**copied.config["settings"], "beta": 2}}
    )
    before = content(copied)
    with pytest.raises(ValueError, match=r"config.json is not what the states .*settings.beta is 2, expected 1.*Undo"):
        train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert content(copied) == before


def test_resuming_with_fewer_epochs_than_finished_changes_nothing(copied, capsys):
    before = content(copied)
    train(None, None, copied.path, resume=True, epochs=2, verbose=2)
    assert "has finished its 4 epochs" in capsys.readouterr().out and content(copied) == before


def test_scratch_files_of_killed_processes_are_deleted(copied, toy_run):
    (copied.path / "config.json.tmp").mkdir()
    (copied.checkpoints / f"{files.SCRATCH}1-a-epoch_0005.weights.h5").write_bytes(b"half")
    train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert not list(copied.path.rglob(f"{files.SCRATCH}*"))


def test_a_run_in_use_is_refused_and_the_process_named(copied, toy_images):
    before = content(copied)
    with runs.lock(copied.path):
        for options in ({"resume": True, "epochs": 5}, {"overwrite": True, "system": "vae", "data": toy_images}):
            system, data = options.pop("system", None), options.pop("data", None)
            with pytest.raises(runs.RunInUseError, match=f"is in use by process {os.getpid()} on .*since 2"):
                train(system, data, copied.path, **options, verbose=0)
    assert content(copied) == before


def test_a_full_disk_is_detected_before_the_first_step(copied, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(files.UnwritableError, match=r"checkpoints needs 0.\d MB, and 0.0 MB are free"):
        train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert states(copied) == [State(3), State(4)]


def test_a_disk_that_fills_up_keeps_the_last_states(copied, toy_run, monkeypatch):
    def raise_disk_full(model, path, **options):
        np.zeros(10).tofile(path)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(type(toy_run.load_model()), "save_weights", raise_disk_full)
        with pytest.raises(files.UnwritableError, match="epoch_0005.weights.h5 could not be written"):
            train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert states(copied) == [State(3), State(4)] and not list(copied.path.rglob(f"{files.SCRATCH}*"))
    train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert states(copied) == [State(4), State(5)]


def test_differing_replicas_stop_the_training_before_anything_is_saved(toy_images, tmp_path):
    def perturb_replica(model):
        kernel = model.distribute_strategy.experimental_local_results(model.trainable_variables[0].value)[1]
        kernel.assign_add(1e-7 * np.ones(kernel.shape, np.float32))

    with pytest.raises(ReplicasDifferError, match="At epoch 2, replicas 1 of 2 differ from replica 0 in weights"):
        train(
            "vae",
            toy_images,
            tmp_path / "run",
            epochs=3,
            strategy="mirrored",
            callbacks=[CallAt(2, 2, perturb_replica)],
            **SMALL,
        )
    assert states(runs.Run.open(tmp_path / "run")) == [State(0), State(1)]


def test_a_run_on_two_devices_resumes_within_an_epoch(toy_images, tmp_path):
    options = {**SMALL, "epochs": 2, "strategy": "mirrored"}
    full = train("vae", toy_images, tmp_path / "whole", **options)
    with pytest.raises(SystemExit):
        train(
            "vae",
            toy_images,
            tmp_path / "run",
            callbacks=[CallAt(2, 2, send(signal.SIGTERM))],
            **options,
        )
    assert states(runs.Run.open(tmp_path / "run"))[-1] == State(1, 2)
    resumed = train(None, None, tmp_path / "run", resume=True, strategy="mirrored", verbose=0)
    for row, other in zip(read_rows(resumed.metrics_file), read_rows(full.metrics_file), strict=True):
        assert row == pytest.approx(other, rel=1e-6)  # a state stores metrics summed over replicas


def test_states_without_a_record_are_refused_and_not_changed(copied):
    for record in copied.checkpoints.glob("*.json"):
        record.unlink()
    before = content(copied)
    with pytest.raises(ValueError, match=r"No state .* is intact.*epoch_0004.weights.h5 has no record"):
        train(None, None, copied.path, resume=True, epochs=5, verbose=0)
    assert content(copied) == before
