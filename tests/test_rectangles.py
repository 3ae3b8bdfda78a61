"""Images that are not square: from training to the demo, for every kind of system."""

import json
import urllib.request

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gen import cli
from keras_gen.runs import Run
from keras_gen.runtime import Runtime

from .demos.conftest import serve

HEIGHT, WIDTH = 16, 24
SYSTEMS = {
    "vae": ("network=conv", "base_filters=4", "latent_size=2"),
    "dcgan": ("base_filters=4", "latent_size=3", "num_classes=2"),
    "cyclegan": ("base_filters=4",),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 24x36 photos of two classes: bright at the top, and bright on the left."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("photos")
    for name, part in (("above", np.s_[:12]), ("left", np.s_[:, :18])):
        (folder / name).mkdir()
        for number in range(330):
            pixels = random.integers(0, 90, (24, 36, 3), dtype=np.uint8)
            pixels[part] += 150
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_oblong_images_from_training_to_the_demo(system, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")

    def call(*arguments):
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output

    out, settings = tmp_path / "run", [f"--set={each}" for each in SYSTEMS[system]]
    view = ("--view", "domains=above,left") if system == "cyclegan" else ()
    sizes = ("--image-size", f"{HEIGHT}x{WIDTH}", "--epochs", 1, "--steps", 2, "--batch-size", 8)
    call("train", system, "--data", photos, "--out", out, *sizes, *settings, *view, "--quiet")
    run = Run.open(out)
    assert run.image_shape == (HEIGHT, WIDTH, 3)
    with Image.open(run.samples / "epoch_0001.png") as picture:
        assert min(picture.size) > 2 * HEIGHT
    call("evaluate", out, "--samples", 32, "--nll-images", 4, "--nll-samples", 10, "--split", "train", "--quiet")
    metrics = json.loads(run.evaluation_file.read_text())["metrics"]
    assert any(value is not None for value in metrics.values())
    call("export", out, "--quantize", "int8,none")
    model = Runtime(run.export_folder, precision="float32")
    file, outputs = photos / "left" / "0.png", tmp_path / "outputs"
    if system == "cyclegan":
        call("translate", run.export_folder, file, "--to", "above", "--out", outputs, "--quiet")
        assert model.signatures["a_to_b"]["inputs"]["domain_a"]["shape"] == [HEIGHT, WIDTH, 3]
    else:
        label = {"label": "left"} if system == "dcgan" else {}
        options = ("--label", "left") if label else ()
        call("sample", out, "--num", 2, "--seed", 1, *options, "--out", tmp_path / "a.npy")
        assert np.load(tmp_path / "a.npy").shape == (2, HEIGHT, WIDTH, 3)
        np.testing.assert_allclose(np.load(tmp_path / "a.npy"), model.generate(2, 1, **label), atol=1e-4)
    if system == "vae":
        call("reconstruct", run.export_folder, file, "--out", outputs, "--quiet")
    if outputs.exists():
        with Image.open(outputs / "0.png") as image:
            assert image.size == (WIDTH, HEIGHT)
    with serve(["-m", "demos", str(out)], tmp_path / "log.txt") as address:
        assert urllib.request.urlopen(address).status == 200
