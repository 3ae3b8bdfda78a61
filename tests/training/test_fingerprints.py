"""A resumed run uses the same data as before, even if they were moved, or reports the changes."""

import json
import os
import shutil
import signal

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen import training
from keras_gen.runs import Run
from keras_gen.training import fingerprints

SMALL = {"settings": {"network": "mlp", "hidden_units": 4, "latent_size": 2}, "verbose": 0}
NEW = {**SMALL, "batch_size": 8, "steps": 2, "epochs": 1, "image_size": 8}
CHANGED = "The data of this run have changed: "


def write(folder, count: int, start: int = 0, value: int | None = None) -> None:
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(start)
    for index in range(start, start + count):
        pixels = random.integers(0, 256, (8, 8, 3)) if value is None else np.full((8, 8, 3), value)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index:03}.png")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with 40 images and a run of one epoch on them; `folder` copies it."""
    folder = tmp_path_factory.mktemp("finished")
    write(folder / "images", 40)
    training.train("autoencoder", folder / "images", folder / "run", **NEW)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of the run and its images for one test."""
    for name in ("images", "run"):
        shutil.copytree(finished / name, tmp_path / name, copy_function=shutil.copyfile)
    config = tmp_path / "run" / "config.json"
    config.write_text(config.read_text().replace(str(finished / "images"), str(tmp_path / "images")))
    return tmp_path


def resume(folder, **options):
    return training.train(None, options.pop("data", None), folder / "run", resume=True, verbose=0, **options)


def test_a_new_run_stores_the_fingerprints_of_its_splits(finished):
    fingerprints_of_run = Run.open(finished / "run").config["fingerprints"]
    assert {role: entry["images"] for role, entry in fingerprints_of_run.items()} == {"train": 36, "validation": 4}
    for role, entry in fingerprints_of_run.items():
        assert entry["digest"] == Run.open(finished / "run").dataset(role).info.fingerprint


def test_copied_and_moved_data_have_the_same_fingerprint(folder):
    assert len(resume(folder, epochs=2).metrics_file.read_text().splitlines()) == 3  # other modification times
    moved = (folder / "images").rename(folder / "elsewhere")
    run = resume(folder, epochs=3, data=moved)
    assert run.config["data"]["source"] == str(moved)
    resume(folder, epochs=4)
    assert not json.loads((folder / "run" / "config.json").read_text())["fingerprints"].get("changed")


def test_added_images_are_refused_and_accepted_when_the_user_confirms_them(folder):
    write(folder / "images", 360, start=100)
    before = {file: file.read_bytes() for file in (folder / "run").glob("*.*")}
    with pytest.raises(ValueError, match=f"{CHANGED}train had 36 images and has 396.*--data-changed"):
        resume(folder, epochs=2)
    assert before == {file: file.read_bytes() for file in (folder / "run").glob("*.*")}
    run = resume(folder, epochs=2, data_changed=True)
    assert run.config["data"]["splits"]["validation"] == "train[-40:]"
    assert run.config["fingerprints"]["changed"] == [{"epoch": 1, "train": [36, 360], "validation": [4, 40]}]
    assert "changed after epoch 1: train 36 to 360 images" in run.card_file.read_text()
    again = resume(folder, epochs=3)  # the changed data are the run's data from now on
    assert len(again.metrics_file.read_text().splitlines()) == 4
    assert again.config["fingerprints"] == run.config["fingerprints"]


def test_different_images_with_the_same_names_are_refused(folder):
    write(folder / "images", 40, value=0)
    with pytest.raises(ValueError, match=f"{CHANGED}train has 36 images as before, but other.*; validation has 4"):
        resume(folder, epochs=2)


def test_one_changed_validation_image_is_refused(folder):
    validation = Run.open(folder / "run").dataset("validation", shuffle=False)
    held_out = next(iter(validation))["image"].numpy()[0]
    (file,) = (f for f in (folder / "images").iterdir() if np.allclose(np.asarray(Image.open(f)) / 255, held_out))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file)
    with pytest.raises(ValueError, match=f"{CHANGED}validation has 4 images as before"):
        resume(folder, epochs=2)


def test_an_interrupted_epoch_restarts_on_changed_data(folder):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        resume(folder, epochs=2, callbacks=[Interrupt()])
    assert (folder / "run" / "checkpoints" / "epoch_0001_step_00000001.json").is_file()
    write(folder / "images", 8, start=100)
    run = resume(folder, epochs=3, data_changed=True)
    assert len(run.metrics_file.read_text().splitlines()) == 4
    assert run.config["fingerprints"]["changed"][0]["train"] == [36, 44]
    assert not list((folder / "run" / "checkpoints").glob("epoch_*_step_*"))


def test_changed_labels_are_refused(tmp_path):
    arrays = {"x": np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)}
    np.savez(tmp_path / "set.npz", y=np.arange(40) % 2, **arrays)
    training.train("autoencoder", tmp_path / "set.npz", tmp_path / "run", **NEW)
    np.savez(tmp_path / "set.npz", y=np.arange(40) % 3, **arrays)
    with pytest.raises(ValueError, match=f"{CHANGED}train has 36 images as before"):
        resume(tmp_path, epochs=2)


def test_data_changed_needs_resume(tmp_path):
    with pytest.raises(ValueError, match="Expected data_changed only with resume=True"):
        training.train("autoencoder", "shapes", tmp_path, data_changed=True)


def test_workers_with_different_data_are_reported(monkeypatch):
    fingerprints_here = {"train": {"images": 3, "digest": "00" * 8}, "validation": {"images": 1, "digest": "01" * 8}}
    rows = np.zeros((2, 4), np.int32)
    monkeypatch.setattr(fingerprints.strategies, "gather", lambda devices, values: rows)
    fingerprints.check_workers_agree(None, fingerprints_here)
    rows[1, 2] = 5
    with pytest.raises(ValueError, match="received other data at replica 1 of 2 than at replica 0. Copy the data"):
        fingerprints.check_workers_agree(None, fingerprints_here)
