"""A user's first hour: every step from a folder of twenty photos to an app works without an error."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import venv

import gradio_client
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gen import cli
from keras_gen.runtime import read_images
from keras_gen.runtime.description import PREPROCESSING, read_description

ROOT = pathlib.Path(__file__).parents[1]
ORIENTATION = 0x0112  # EXIF
LANDSCAPE, PORTRAIT, SQUARE, WIDE = (60, 40), (40, 64), (48, 48), (128, 32)  # (width, height)
WITHOUT_TENSORFLOW = """
import os, runpy, sys
for name in ("tensorflow", "keras", "tensorflow_probability", "keras_gen"):
    sys.modules[name] = None
sys.path.insert(0, os.getcwd())
runpy.run_module("runtime", run_name="__main__")
"""


def photo(size: tuple[int, int], number: int, mode: str = "RGB") -> Image.Image:
    """Returns an image of a disc on a gradient, with colors that depend on `number`."""
    generator = np.random.default_rng(number)
    y, x = np.mgrid[: size[1], : size[0]][..., None] / np.array(size[::-1]).reshape(2, 1, 1, 1)
    disc = ((x - generator.uniform(0.3, 0.7)) ** 2 + (y - generator.uniform(0.3, 0.7)) ** 2 < 0.06).astype(float)
    pixels = (x + y) / 2 * generator.uniform(0.2, 1, 3) * (1 - disc) + disc * generator.uniform(0, 1, 3)
    image = Image.fromarray(np.round(255 * pixels).astype(np.uint8))
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(np.round(255 * disc[..., 0]).astype(np.uint8)))
    return image.convert(mode)


def write_photos(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes twenty photos like those of cameras, scanners and the web, two damaged files, and a text file."""
    folder.mkdir(parents=True)
    rotated = Image.Exif()
    rotated[ORIENTATION] = 6
    kinds = {
        "Urlaub am Meer.jpg": (LANDSCAPE, "RGB", {}),
        "Grüße aus Köln.JPG": (PORTRAIT, "RGB", {}),
        "hochkant gedreht.jpeg": (LANDSCAPE, "RGB", {"exif": rotated}),
        "druck.jpg": (SQUARE, "CMYK", {}),
        "alt & grau.jpg": (PORTRAIT, "L", {}),
        "panorama.png": (WIDE, "RGB", {}),
        "logo.png": (SQUARE, "RGBA", {}),
        "ikone.png": (LANDSCAPE, "P", {}),
        "grau durchsichtig.png": (SQUARE, "LA", {}),
        "röntgen.png": (SQUARE, "I;16", {}),
        "scan 1.png": (PORTRAIT, "L", {}),
        "strichzeichnung.png": (LANDSCAPE, "1", {}),
        "web.webp": (LANDSCAPE, "RGB", {}),
        "web durchsichtig.webp": (SQUARE, "RGBA", {"lossless": True}),
        "uralt.bmp": (SQUARE, "RGB", {}),
        "bewegt.gif": (LANDSCAPE, "P", {}),
        **{f"IMG_{number}.jpg": (LANDSCAPE, "RGB", {}) for number in range(4)},
    }
    for number, (name, (size, mode, options)) in enumerate(kinds.items()):
        photo(size, number, mode).save(folder / name, **options)
    full = (folder / "uralt.bmp").read_bytes()
    (folder / "abgebrochen.bmp").write_bytes(full[: len(full) // 2])
    (folder / "kaputt.jpg").write_bytes(b"damaged from its first byte on")
    (folder / "Notizen.txt").write_text("noch sortieren")
    return [folder / name for name in kinds]


def pixels_of(file) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def run_all_steps(command, photos: pathlib.Path, run: pathlib.Path, system: str, *settings: str) -> None:
    """Runs the commands from the folder to an int8 export; each must succeed.

    Args:
        command: A function that runs `keras-gen` with its arguments and returns the output.
        photos: The folder of photos.
        run: The run directory.
        system: Key of the system.
        *settings: Further arguments of `train`.
    """
    assert "kaputt.jpg" in command("data", photos)
    command("train", system, "--data", photos, "--out", run, "--epochs", 2, *settings)
    config = json.loads((run / "config.json").read_text())
    assert config["image_shape"][2] == 3  # a few are gray
    command("evaluate", run, "--samples", 16, "--nll-images", 4, "--nll-samples", 8)
    assert json.loads((run / "evaluation.json").read_text())["metrics"]
    command("sample", run, "--num", 4, "--seed", 1, "--out", run / "four.png")
    assert pixels_of(run / "four.png").std() > 0
    exported = command("export", run, "--quantize", "int8")
    parity = json.loads((run / "export" / "parity.json").read_text())
    compared = parity["images"]["comparison"]
    assert compared["validation"] + compared["train"] == 20
    line = f"Compared on {compared['validation']} validation and {compared['train']} training images"
    assert line in re.sub(r"\s+", " ", exported)


def run_on_device(python, folder: pathlib.Path, *arguments) -> None:
    """Runs the runtime of an export in its folder, where neither TensorFlow nor keras_gen can be imported."""
    command = [python, "-P", "-c", WITHOUT_TENSORFLOW, *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=without_path())
    assert result.returncode == 0, result.stderr


def without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def serve(python, demos: pathlib.Path, runs: list[pathlib.Path], environment: dict, log: pathlib.Path):
    """Starts `python -m demos` on a free port, and yields a client."""
    with open(log, "w") as output:
        command = [python, "-m", "demos", *map(str, runs)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=demos, env=environment)
    try:
        while not (result := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            assert process.returncode is None, log.read_text()
        client = gradio_client.Client(result[0], verbose=False, download_files=log.parent / "downloads")
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(timeout=60)


def check_reconstruction(client, python, name: str, export: pathlib.Path, photos: list[pathlib.Path]) -> None:
    """Checks that the app and the runtime read a photo in the same way and return the same reconstruction."""
    for file in photos:
        (export / "reconstructed.npy").unlink(missing_ok=True)
        run_on_device(python, export, "reconstruct", file, "--out", "reconstructed.npy")
        shape = json.loads((export / "model.json").read_text())["image_shape"]
        options = {key: value for key, value in read_description(export).items() if key in PREPROCESSING}
        expected = read_images([file], tuple(shape), **options)[0], np.load(export / "reconstructed.npy")[0]
        output = client.predict(gradio_client.handle_file(str(file)), False, None, api_name=f"/{name}_reconstruct")[:2]
        for picture, image in zip(output, expected, strict=True):
            displayed = pixels_of(picture)
            factor = displayed.shape[0] // shape[0]
            np.testing.assert_array_equal(displayed[::factor, ::factor], np.round(image * 255).astype(np.uint8))


def test_all_steps_with_twenty_photos(tmp_path):
    """Runs the commands in this process, with a small network."""
    files, run = write_photos(tmp_path / "Meine Fotos ü"), tmp_path / "runs" / "vae"

    def command(*arguments) -> str:
        result = CliRunner().invoke(cli.app, list(map(str, arguments)), env={"COLUMNS": "200"})
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.output

    run_all_steps(
        command,
        tmp_path / "Meine Fotos ü",
        run,
        "vae",
        "--image-size",
        "16",
        "--set",
        "base_filters=4",
        "--set",
        "latent_size=2",
    )
    run_on_device(sys.executable, run / "export", "generate", "--num", 4, "--out", "four.png")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with serve(sys.executable, ROOT, [run], environment, tmp_path / "log.txt") as client:
        rotated, deep = files[2], files[9]
        check_reconstruction(client, sys.executable, "vae", run / "export", [rotated, deep])


@pytest.fixture(scope="module")
def installed_python(tmp_path_factory) -> pathlib.Path:
    """The Python executable of a new environment with the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("fresh")
    source = folder / "source"  # a build writes files into its source folder
    shutil.copytree(ROOT / "keras_gen", source / "keras_gen", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", folder / "dist", source]
    subprocess.run([*pip, *wheel], check=True, capture_output=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    subprocess.run(
        [*pip, "--python", python, "install", "--no-deps", "--no-index", *(folder / "dist").glob("*.whl")],
        check=True, capture_output=True,
    )  # fmt: skip
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = pathlib.Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    paths = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site / "packages_of_the_tests.pth").write_text("".join(f"{path}\n" for path in paths))
    shutil.copytree(ROOT / "demos", folder / "checkout" / "demos", ignore=shutil.ignore_patterns("__pycache__"))
    return python


@pytest.mark.slow
def test_all_steps_with_an_installed_wheel(installed_python, tmp_path):
    """Runs the commands in separate processes that import the package from the wheel; also with a GAN."""
    files = write_photos(tmp_path / "Meine Fotos ü")

    def command(*arguments) -> str:
        line = [installed_python.with_name("keras-gen"), *map(str, arguments)]
        process = subprocess.run(
            line, cwd=tmp_path, capture_output=True, text=True, env=without_path() | {"COLUMNS": "200"}
        )
        assert process.returncode == 0, (arguments, process.stdout, process.stderr)
        assert "Warning" not in process.stderr and "Traceback" not in process.stderr
        return process.stdout

    where = [installed_python, "-c", "import keras_gen; print(keras_gen.__file__)"]
    result = subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True, env=without_path()).stdout
    assert pathlib.Path(result.strip()).is_relative_to(installed_python.parents[1])
    runs = {system: tmp_path / "runs" / system for system in ("vae", "dcgan")}
    for system, run in runs.items():
        run_all_steps(command, tmp_path / "Meine Fotos ü", run, system, "--image-size", "32")
        run_on_device(installed_python, run / "export", "generate", "--num", 4, "--seed", 1, "--out", "four.png")
        assert pixels_of(run / "export" / "four.png").std() > 0
    checkout = installed_python.parents[2] / "checkout"
    with serve(installed_python, checkout, list(runs.values()), without_path(), tmp_path / "log.txt") as client:
        check_reconstruction(client, installed_python, "vae", runs["vae"] / "export", [files[0], files[9]])
        assert pixels_of(client.predict(1, 4, api_name="/dcgan_generate")).std() > 0
