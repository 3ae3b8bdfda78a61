"""Folders of photos in `keras-gen data`, `keras_gen.train` and a resumed run."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from keras_gen import runs, training
from tests.small import SMALL

FEW = {**SMALL, "batch_size": 9, "verbose": 1, "binarize": None}


@pytest.fixture
def deep_photos(tmp_path):
    """A folder of twenty images with 12 bits and 16x8 pixels, and of other files."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(20):
        image = np.linspace(0, 4011, 128).reshape(8, 16) * (index + 1) / 20
        Image.fromarray(image.astype(np.uint16)).save(folder / f"{index:02}.png")
    (folder / "notes.txt").write_text("x")
    (folder / "broken.png").write_text("no image")
    (folder / "Thumbs.db").write_text("x")
    return folder


NOTE = "Values up to 4,011 in 20 files of more than 8 bits: the value range is 0..4095"
LEFT_OUT = "Left out 2 of 22 files: 1 with another extension (.txt 1; e.g. notes.txt), 1 that cannot be read"
CROP = "Cropping to 8x8 (width x height) removes 50% of the area of 16x8 images"


def test_data_command_reports_notes_about_the_files(call, deep_photos, tmp_path):
    result = call("data", deep_photos, "--image-size", 8, "--out", tmp_path / "grid.png")
    assert result.exit_code == 0
    for text in (NOTE, LEFT_OUT, CROP):
        assert result.stdout.count(text) == 1
    assert "Warning" not in result.output and (tmp_path / "grid.png").exists()
    result = call("data", deep_photos, "--value-range", "0,8190")
    assert result.exit_code == 0 and NOTE not in result.stdout
    assert (
        "Expected LOW,HIGH, such as 0,4095, for --value-range; received '4095'"
        in call("data", deep_photos, "--value-range", "4095").stderr
    )


def test_training_reports_notes_once_and_stores_the_range(deep_photos, tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        run = training.train("vae", deep_photos, tmp_path / "run", epochs=1, image_size=8, **FEW)
    output = "".join(capfd.readouterr())
    for text in (NOTE, LEFT_OUT, CROP):
        assert output.count(text) == 1
    assert json.loads((run.path / "config.json").read_text())["data"]["value_range"] == [0, 4095]
    batch = next(iter(run.dataset("validation")))
    assert run.dataset("validation").info.value_range == (0, 4095)
    assert 0.1 < float(batch["image"].numpy().max()) <= 4011 / 4095 + 1e-6
    with pytest.raises(ValueError, match=r"value_range is \(0, 4095\), received \(0, 8190\)"):
        training.train(None, None, run.path, resume=True, epochs=2, value_range=(0, 8190), verbose=0)
    resumed = training.train(None, None, run.path, resume=True, epochs=2, value_range=(0, 4095), verbose=0)
    assert resumed.config["data"]["value_range"] == [0, 4095]


def test_requested_range_and_padding(call, deep_photos, tmp_path):
    out = tmp_path / "run"
    command_line = ("train", "vae", "--data", deep_photos, "--out", out, "--image-size", 8)
    command_line += ("--epochs", 1, "--batch-size", 9, "--binarize", "none")
    command_line += ("--set", "network=mlp", "--set", "hidden_units=8", "--value-range", "0,8190", "--view", "crop=pad")
    result = call(*command_line, "--view", "background=[0, 0, 0]", "--binarize", "none")
    assert result.exit_code == 0, result.output
    assert "Cropping" not in result.output and NOTE not in result.output and LEFT_OUT in result.output
    options = runs.Run.open(out).config["data"]
    assert options["value_range"] == [0, 8190] and options["crop"] == "pad"
    batch = next(iter(runs.Run.open(out).dataset("train", shuffle=False)))["image"].numpy()
    assert batch.max() <= 4011 / 8190 + 1e-6
    np.testing.assert_array_equal(batch[:, :2], 0)  # the border is black
    assert call(*command_line[:6], "--view", "crop=middle", "--image-size", 8).exit_code == 2


def test_a_run_on_8_bit_images_stores_no_range(toy_run):
    assert toy_run.config["data"]["value_range"] is None
    assert toy_run.dataset("train").info.value_range == (0, 255)
