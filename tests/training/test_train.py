"""Training as users start it: its output before and during the training, also with few photos."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_gen import training

# reports every activity, however short, and every step at once
PROGRAM = """
import sys
from keras_gen import cli, progress
progress.ANNOUNCE_AFTER = progress.REPEAT_AFTER = progress.STEP_INTERVAL = 0.0
cli.app(sys.argv[1:], standalone_mode=False)
print("and now quietly")
cli.app([*sys.argv[1:], "--overwrite", "--quiet"], standalone_mode=False)
"""


def write_photos(folder: pathlib.Path, num: int) -> pathlib.Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(num)
    for index in range(num):
        Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).save(folder / f"{index}.png")
    return folder


def test_redirected_output_reports_activities_and_remaining_time(tmp_path):
    arguments = [
        "train",
        "vae",
        "--data",
        write_photos(tmp_path / "photos", 20),
        "--out",
        tmp_path / "run",
        "--epochs",
        2,
    ]
    arguments += ["--batch-size", 4, "--image-size", 8, "--set", "network=mlp", "--set", "hidden_units=4"]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    output, quiet_output = result.stdout.split("and now quietly\n")
    expected = (
        "Starting TensorFlow ...",
        "Building the model ...",
        "Reading the images: ",
        "Few images:\n- 18 images to train on",
        "2 images for validation",
        "VAE, ",
        "Compiling the first step ...",
        "Epoch 1 of 2: 2 of 5, ",
        "left in all",
        "Validation: ",
        "Saving the model ...",
        "Drawing the preview picture ...",
        "Saving the state ...",
        "Epoch 2 of 2: ",
        "Trained in ",
    )
    position = 0
    for text in expected:
        assert text in output[position:], (text, output)
        position = output.index(text, position)
    assert output.count("Few images:") == 1 and quiet_output == ""


@pytest.mark.parametrize("num, batch_size", [(5, 2), (1, 1)])
def test_a_gan_trains_on_few_photos(num, batch_size, tmp_path, capsys):
    settings = {"hidden_units": 4, "latent_size": 2}
    run = training.train("gan", write_photos(tmp_path / "photos", num), tmp_path / "run", epochs=1, settings=settings,
                         image_size=8, verbose=2)  # fmt: skip
    assert run.config["training"]["batch_size"] == batch_size and run.model_file.is_file()
    output = capsys.readouterr().out
    assert f"the batch size is {batch_size} instead of 128" in output and "no validation: a tenth of" in output


def test_a_class_of_three_images_trains_without_validation(tmp_path, capsys):
    for name, num in (("many", 20), ("few", 3)):
        write_photos(tmp_path / "classes" / name, num)
    options = {"epochs": 1, "steps": 1, "batch_size": 1, "image_size": 8, "settings": {"base_filters": 2}}
    view = {"domains": "many,few"}
    run = training.train("cyclegan", tmp_path / "classes", tmp_path / "run", view=view, verbose=2, **options)
    output = capsys.readouterr().out
    assert "20 images of domain_a and 3 images of domain_b to train on" in output
    assert "no validation: domains: 'label' has no image of the class 'few'" in output
    assert run.config["data"]["splits"] == {"train": "train", "validation": None, "test": None}
    assert training.train(None, None, run.path, resume=True, epochs=2, verbose=0).config["training"]["epochs"] == 2
