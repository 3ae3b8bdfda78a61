import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import keras_gen
from keras_gen import runs
from keras_gen.runs import Run

ROOT = pathlib.Path(__file__).parents[2]


def test_create_and_open(tmp_path):
    run = Run.create(tmp_path / "deep" / "run", {"system": "vae", "image_shape": [8, 8, 1]})
    opened = Run.open(str(run.path))
    assert opened.config == run.config == {"format": runs.FORMAT, "system": "vae", "image_shape": [8, 8, 1]}
    assert opened.image_shape == (8, 8, 1) and opened.model_file == run.path / "model.keras"


def test_only_a_run_directory_is_overwritten(tmp_path):
    run = Run.create(tmp_path / "run", {"system": "vae"})
    (run.path / "old").touch()
    with pytest.raises(FileExistsError, match=r"is not empty. Continue its run \(--resume\), replace it"):
        Run.create(run.path, {})
    assert (run.path / "old").exists()
    Run.create(run.path, {"system": "new"}, overwrite=True)
    assert Run.open(run.path).config["system"] == "new" and not (run.path / "old").exists()

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").touch()
    with pytest.raises(ValueError, match="Expected a run directory to overwrite; received .*photos"):
        Run.create(tmp_path / "photos", {}, overwrite=True)
    assert (tmp_path / "photos" / "holiday.jpg").exists()
    (tmp_path / "empty").mkdir()
    Run.create(tmp_path / "empty", {})


def test_an_unwritable_directory_is_refused_early(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"run cannot be written: .*file is a file; choose another"):
        runs.check_free(tmp_path / "file" / "run")
    checked = []
    monkeypatch.setattr(os, "access", lambda path, mode: checked.append(path))
    with pytest.raises(PermissionError, match=f"no permission to write in {tmp_path}, or its disk is read-only"):
        runs.check_free(tmp_path / "a" / "b")
    assert checked == [tmp_path]
    monkeypatch.undo()

    def raise_disk_full(*args, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "mkdir", raise_disk_full)
    with pytest.raises(OSError, match="run cannot be created: No space left on device. Choose another --out"):
        Run.create(tmp_path / "run", {})


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone does not exist: expected a run directory"):
        Run.open(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="has no config.json"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="Expected format 2 in .*config.json; received 99. Train again"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match="Expected format 2 in .*config.json; received 1. Train again"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 2')
    with pytest.raises(ValueError, match="config.json"):
        Run.open(tmp_path)
    with pytest.raises(FileNotFoundError, match="model.keras does not exist"):
        runs.load(tmp_path / "model.keras")


@pytest.mark.parametrize("size", [0, 1000, 0.9])
def test_a_damaged_model_is_named(toy_run, tmp_path, size):
    content = toy_run.model_file.read_bytes()
    (tmp_path / "model.keras").write_bytes(content[: size if isinstance(size, int) else int(size * len(content))])
    with pytest.raises(ValueError, match="model.keras cannot be read as a Keras model; it may be damaged"):
        runs.load(tmp_path / "model.keras")


def test_json_is_replaced_atomically(tmp_path):
    runs.write_json(tmp_path / "a.json", {"a": 1})
    runs.write_json(tmp_path / "a.json", {"a": 2})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_validation_data_are_neither_shuffled_nor_augmented(toy_run, toy_images, tmp_path):
    run = Run(
        toy_run.path,
        {**toy_run.config, "data": {**toy_run.config["data"], "augment": ["flip"], "binarize": None, "slices": "file"}},
    )
    raw = np.load(toy_images)["image"] / np.float32(255)
    held_out = np.concatenate([batch["image"] for batch in run.dataset("validation")])
    np.testing.assert_allclose(held_out, raw[-20:], atol=1e-7)
    training_images = np.concatenate([batch["image"] for batch in run.dataset("train")])
    assert training_images.shape == raw[:-20].shape and not np.allclose(training_images, raw[:-20])
    np.testing.assert_allclose(training_images.sum(), raw[:-20].sum(), rtol=1e-5)  # the same pixels, in another order
    with pytest.raises(ValueError, match=r"Expected a split of this run \(train, validation\); received 'test'"):
        run.dataset("test")


def test_new_processes_load_a_run_and_a_file_from_any_directory(toy_run, tmp_path):
    shutil.copy(toy_run.model_file, tmp_path / "alone.keras")
    # the second process is a fork of the first: in both, only the libraries are imported at first
    program = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
import tensorflow, tensorflow_probability, keras
if os.fork():
    pid, status = os.wait()
    assert status == 0 and "keras_gen" not in sys.modules
    import keras_gen.models
    keras_gen.models.import_all()
    np.save("of_keras.npy", keras.saving.load_model("alone.keras").generate(3, seed=7))
else:
    import keras_gen
    model = keras_gen.load({str(toy_run.path)!r})
    assert model.optimizer.iterations == 12, model.optimizer.iterations
    np.save("of_run.npy", model.generate(3, seed=7))
    np.save("of_file.npy", keras_gen.load("alone.keras").generate(3, seed=7))
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    expected = keras_gen.load(toy_run.path).generate(3, seed=7)
    for name in ("of_keras", "of_run", "of_file"):
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), expected)
