import json
import pathlib
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import VAE, runs
from keras_gen.runs.history import read_rows
from keras_gen.training.previews import SampleGrid
from keras_gen.training.train import train
from tests.small import SMALL

ROOT = pathlib.Path(__file__).parents[2]


class CallAt(keras.callbacks.Callback):
    """Calls a function of the model before a step; epoch and step count from 1."""

    def __init__(self, epoch, step, function):
        super().__init__()
        self.position, self.function = (epoch, step), function

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.position:
            self.function(self.model)


def state(run):
    """Returns the file name and all numbers of the last state: weights, optimizer, seeds, counters."""
    import h5py

    numbers = {}
    newest = sorted(run.checkpoints.glob("*.weights.h5"))[-1]
    with h5py.File(newest) as file:
        file.visititems(lambda name, item: numbers.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return newest.name, numbers


def assert_same(run, other):
    (name, numbers), (other_name, other_numbers) = state(run), state(other)
    assert name == other_name and numbers.keys() == other_numbers.keys()
    assert len(numbers) > 10 and any("optimizer" in key for key in numbers)
    for key, value in numbers.items():
        np.testing.assert_array_equal(value, other_numbers[key], err_msg=key)  # bit for bit
    assert run.metrics_file.read_text() == other.metrics_file.read_text()
    for weight, other_weight in zip(run.load_model().weights, other.load_model().weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), other_weight.numpy())


def test_files_of_a_run(toy_run, toy_images):
    names = {path.name for path in toy_run.path.iterdir()} - {".lock"}
    assert names == {"README.md", "checkpoints", "config.json", "metrics.csv", "model.keras", "samples", "tensorboard"}
    assert [path.name for path in sorted(toy_run.samples.iterdir())] == [f"epoch_000{e}.png" for e in (1, 2, 3, 4)]
    files = {f"epoch_000{epoch}.{suffix}" for epoch in (3, 4) for suffix in ("json", "weights.h5")}
    assert {path.name for path in toy_run.checkpoints.iterdir()} == files
    assert {path.name for path in toy_run.tensorboard.iterdir()} == {"train", "validation"}
    rows = read_rows(toy_run.metrics_file)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4] and rows[3]["val_loss"] < rows[0]["val_loss"]
    config = json.loads((toy_run.path / "config.json").read_text())
    assert config == toy_run.config == runs.Run.open(toy_run.path).config
    assert config["data"]["splits"] == {"train": "train[:-20]", "validation": "train[-20:]", "test": None}
    assert config["data"]["binarize"] == "dynamic" and config["data"]["source"] == str(toy_images)
    card = (toy_run.path / "README.md").read_text()
    assert "# Variational Autoencoder on" in card and "samples/epoch_0004.png" in card
    assert f"| val_loss | {rows[0]['val_loss']:.4g} | {rows[3]['val_loss']:.4g} |" in card
    assert keras_gen.load(toy_run.path).generate(3, seed=1).shape == (3, 8, 8, 1)


def test_saved_model_has_the_best_validation_loss(toy_run):
    measured = toy_run.load_model().evaluate(toy_run.dataset("validation"), verbose=0, return_dict=True)
    best = min(row["val_loss"] for row in read_rows(toy_run.metrics_file))
    assert measured["loss"] == pytest.approx(best, rel=1e-6)


def test_a_run_killed_within_an_epoch_resumes_bit_for_bit(toy_images, toy_run, tmp_path, capsys):
    program = f"""
import os, signal
from keras_gen.training import train
from tests.small import SMALL
from tests.training.test_fitting import CallAt
kill = CallAt(3, 2, lambda model: os.kill(os.getpid(), signal.SIGKILL))
train("vae", {str(toy_images)!r}, {str(tmp_path / "run")!r}, epochs=3, callbacks=[kill], **SMALL)
"""
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    run = runs.Run.open(tmp_path / "run")
    assert len(read_rows(run.metrics_file)) == 2
    # as if the process had been killed while it wrote the last state, and after it wrote the next row of the metrics
    damaged = run.checkpoints / "epoch_0002.weights.h5"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with run.metrics_file.open("a") as file:
        file.write(run.metrics_file.read_text().splitlines()[-1].replace("2,", "3,", 1) + "\n")
    resumed = train("vae", toy_images, run.path, resume=True, epochs=4, **SMALL)
    assert_same(resumed, toy_run)
    assert runs.Run.open(run.path).config["training"]["epochs"] == 4

    before = {file: file.read_bytes() for file in run.checkpoints.iterdir()}
    capsys.readouterr()
    train(None, None, run.path, resume=True, verbose=2)
    assert "has finished its 4 epochs. To continue: --resume with --epochs N, N > 4" in capsys.readouterr().out
    assert {file: file.read_bytes() for file in run.checkpoints.iterdir()} == before


def test_a_directory_is_overwritten_only_on_request(toy_run, toy_images, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(toy_run.path, path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert before
    with pytest.raises(FileExistsError, match="which is not empty.*--resume.*--overwrite"):
        train("vae", toy_images, path, **SMALL)
    with pytest.raises(ValueError, match="there is no dataset"):
        train("vae", "no_such_set", path, overwrite=True, **SMALL)
    with pytest.raises(ValueError, match="batch_size is 60, received 61"):
        train("vae", toy_images, path, resume=True, batch_size=61)
    with pytest.raises(ValueError, match="Expected resume .* or overwrite .*; received both"):
        train("vae", toy_images, path, resume=True, overwrite=True)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    train("autoencoder", toy_images, path, overwrite=True, epochs=1, **SMALL)
    assert len(read_rows(path / "metrics.csv")) == 1 and runs.Run.open(path).config["system"] == "autoencoder"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        train(None, None, tmp_path / "gone", resume=True)


def set_nan(model):
    model.decoder.trainable_variables[-1].assign(model.decoder.trainable_variables[-1] * np.nan)


def test_nan_stops_the_run_and_the_best_model_remains(toy_images, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(FloatingPointError) as error:
        train("autoencoder", toy_images, path, epochs=4, callbacks=[CallAt(3, 2, set_nan)], **SMALL)
    message = str(error.value)
    assert "became nan in step 2 of epoch 3" in message and "--learning-rate" in message
    assert "model.keras holds the best epoch, 2 of 2, val_loss" in message
    assert np.isfinite(keras_gen.load(path).generate(2, seed=0)).all()
    assert len(read_rows(path / "metrics.csv")) == 2 and "epoch_0002.png" in (path / "README.md").read_text()


def test_nan_in_adversarial_training_names_the_player(toy_images, tmp_path):
    def set_generator_nan(model):
        last = model.generator.trainable_variables[-1]
        last.assign(last + np.nan)

    with pytest.raises(FloatingPointError) as error:
        train("gan", toy_images, tmp_path / "run", epochs=3, callbacks=[CallAt(2, 1, set_generator_nan)],
              **{**SMALL, "settings": {"hidden_units": 8, "latent_size": 2}})  # fmt: skip
    message = str(error.value)
    # the discriminator is updated first, on the generator's images
    assert "of the player 'discriminator' became NaN or infinite" in message
    assert "model.keras holds the best epoch, 1 of 1" in message
    assert np.isfinite(keras_gen.load(tmp_path / "run").generate(2, seed=0)).all()


def test_patience_stops_a_run_and_more_patience_continues_it(toy_images, tmp_path, capsys):
    options = {**SMALL, "verbose": 2}
    # with such a small learning rate, rounding keeps the weights constant: no epoch is better than the first
    run = train("autoencoder", toy_images, tmp_path / "run", epochs=6, patience=2, learning_rate=1e-30, **options)
    assert len(read_rows(run.metrics_file)) == 3
    capsys.readouterr()
    train(None, None, run.path, resume=True, verbose=2)
    assert "stopped after epoch 3: val_loss was best in epoch 1" in capsys.readouterr().out
    train(None, None, run.path, resume=True, patience=3, verbose=0)
    assert len(read_rows(run.metrics_file)) == 4


@pytest.mark.parametrize("precision, resumed", [("mixed_bfloat16", False), ("mixed_float16", True)])
def test_mixed_precision_applies_only_to_the_model_and_survives_resume(toy_images, tmp_path, precision, resumed):
    previous = keras.config.dtype_policy().name
    run = train("vae", toy_images, tmp_path / "run", epochs=1, precision=precision, steps=2, **SMALL)
    if resumed:
        run = train(None, None, run.path, epochs=2, resume=True, verbose=0)
    assert keras.config.dtype_policy().name == previous == "float32"
    model = run.load_model()
    computed = {layer.compute_dtype for layer in model.encoder.layers if layer.weights}
    assert computed == {precision.removeprefix("mixed_"), "float32"}  # the last layer is float32
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    assert (type(model.optimizer).__name__ == "LossScaleOptimizer") == (precision == "mixed_float16")
    losses = [row["val_loss"] for row in read_rows(run.metrics_file)]
    assert np.isfinite(losses).all() and len(losses) == 1 + resumed and losses[-1] == min(losses)
    assert model.train_steps == 2 * len(losses)


def custom_model():
    keras.utils.set_random_seed(3)
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(name="flat"), keras.layers.Dense(4, name="custom")]
    )
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))])
    model = VAE(encoder, decoder, seed=5)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def test_a_custom_model_is_trained_and_resumed_from_its_file(toy_images, tmp_path):
    run = train(custom_model(), toy_images, tmp_path / "run", epochs=1, batch_size=60, verbose=0)
    assert run.config["system"] == "VAE" and run.config["data"]["binarize"] == "dynamic"
    train(None, None, run.path, epochs=2, resume=True, verbose=0)
    model, losses = run.load_model(), [row["val_loss"] for row in read_rows(run.metrics_file)]
    assert len(losses) == 2 and losses[1] < losses[0]
    assert model.train_steps == model.optimizer.iterations == 6
    assert [layer.name for layer in model.encoder.layers] == [layer.name for layer in custom_model().encoder.layers]


def test_a_conditional_model_needs_labels(toy_images, tmp_path):
    unlabeled = tmp_path / "plain.npz"
    np.savez(unlabeled, image=np.zeros((20, 8, 8, 1), np.uint8))
    options = {**SMALL, "settings": {**SMALL["settings"], "num_classes": 2}, "batch_size": 10}
    with pytest.raises(ValueError, match="Expected data with labels, for num_classes=2"):
        train("vae", unlabeled, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()
    run = train("vae", toy_images, tmp_path / "run", epochs=1, **options)
    assert run.load_model().generate(2, seed=0, label=[0, 1]).shape == (2, 8, 8, 1)


def test_semi_supervised_training_is_resumed(toy_images, tmp_path):
    settings = {
        "network": "mlp",
        "hidden_units": 8,
        "discriminator_units": 8,
        "latent_size": 2,
        "num_categories": 2,
        "supervised": True,
    }
    options = {**SMALL, "settings": settings}
    with pytest.raises(ValueError, match="Expected a number of labeled images .--labeled 1000."):
        train("aae", toy_images, tmp_path / "run", epochs=1, **options)
    run = train("aae", toy_images, tmp_path / "run", epochs=1, labeled=20, **options)
    assert run.config["data"]["labeled"] == 20
    assert "val_labeled_accuracy" in read_rows(run.path / "metrics.csv")[0]
    with pytest.raises(ValueError, match="labeled is 20, received 30"):
        train(None, None, run.path, resume=True, epochs=2, labeled=30, verbose=0)
    train(None, None, run.path, resume=True, epochs=2, verbose=0)
    assert len(read_rows(run.path / "metrics.csv")) == 2


def test_previews_show_images_before_binarization(toy_images, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(
        SampleGrid, "on_epoch_end", lambda self, epoch, logs: shown.append((self.batch, self.originals))
    )
    train("vae", toy_images, tmp_path / "run", epochs=1, **SMALL)
    np.savez(tmp_path / "few.npz", image=np.load(toy_images)["image"][:8])  # no validation: the first training batch
    train("vae", tmp_path / "few.npz", tmp_path / "few", epochs=1, **{**SMALL, "augment": "flip", "batch_size": 8})
    for batch, originals in shown:
        assert set(np.unique(batch["image"])) == {0, 1} and len(np.unique(originals["image"])) > 10
        # the same images in the same order: they are nearly black and white
        assert np.mean(batch["image"] == (originals["image"] > 0.5)) > 0.85
    assert len(shown) == 2


def test_invalid_attribute_values_matter_only_to_systems_that_use_them(tmp_path, capsys):
    images, rows = tmp_path / "images", ["file_name,smiling,age"]
    images.mkdir()
    for index in range(24):
        Image.fromarray(np.full((8, 8, 3), 10 * index, np.uint8)).save(images / f"{index:02}.png")
        rows.append(f"{index:02}.png,{1 if index % 2 else -1},{20 + index}")
    (images / "metadata.csv").write_text("\n".join(rows))
    options = {"batch_size": 4, "steps": 1, "epochs": 1, "image_size": 8}
    train("autoencoder", images, tmp_path / "a", **options, settings=SMALL["settings"], verbose=0)
    stargan = {"base_filters": 2, "blocks": 1, "num_downsamples": 1, "discriminator_filters": 2, "n_critic": 1}
    with pytest.raises(ValueError, match="'age' with .* choose among smiling .attributes=.*--view attributes=NAME"):
        train("stargan", images, tmp_path / "b", **options, settings=stargan, verbose=0)
    assert not (tmp_path / "b").exists()
    view = {"attributes": "smiling"}
    run = train("stargan", images, tmp_path / "b", **options, settings=stargan, view=view, verbose=2)
    assert capsys.readouterr().out.count("smiling: attributes of -1 and 1 are read as 0 and 1.") == 1
    assert set(np.unique(next(iter(run.dataset("train")))["attributes"])) == {0, 1}
