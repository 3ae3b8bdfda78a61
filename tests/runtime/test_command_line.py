"""The command line of an export: files in and out, names, and errors without a traceback."""

import json

import numpy as np
from PIL import Image

from keras_gen.runtime import Runtime
from keras_gen.runtime.command_line import main
from tests.export.conftest import SIZE, blobs

from .device import command_line


def test_help_info_and_measurement(device):
    help_text = command_line(device, "--help").stdout
    assert "generate" in help_text and "example: python -m runtime generate" in help_text
    info = command_line(device, "info").stdout
    assert "Variational Autoencoder (vae), images 16x16x1, batch 1" in info
    assert "generate: noise normal [4], label label [3] -> image image [16, 16, 1]" in info
    measurement = json.loads(command_line(device, "--threads", 1, "measure", "decode", "--repeats", 5).stdout)
    assert 0 < measurement["fastest_ms"] <= measurement["median_ms"]
    assert 10 < measurement["peak_mb"] < 300  # TensorFlow alone would take more than 500
    failed = command_line(device, "generate", "--num", 2, code=1)
    assert failed.stderr.splitlines()[-1] == "error: generate: expected noise, label; received noise: label is missing"


def test_files_in_and_out(device):
    np.save(device / "eight_bit.npy", np.round(blobs(2) * 255).astype(np.uint8))
    command_line(device, "reconstruct", "eight_bit.npy", "--label", 0, 1, "--out", "reconstructions.npy")
    exported = Runtime(device)
    images = np.round(blobs(2) * 255).astype(np.float32) / 255
    np.testing.assert_allclose(
        np.load(device / "reconstructions.npy"), exported.reconstruct(images, label=[0, 1]), atol=1e-6
    )
    command_line(device, "reconstruct", "eight_bit.npy", "--label", 0, 1, "--out", "pairs.png")
    with Image.open(device / "pairs.png") as picture:
        assert picture.size == (2 * (SIZE + 2) + 2, 2 * (SIZE + 2) + 2)  # originals above reconstructions
        np.testing.assert_array_equal(
            np.asarray(picture)[2 : 2 + SIZE, 2 : 2 + SIZE], np.round(images[0, ..., 0] * 255)
        )
    np.save(device / "z.npy", np.zeros((2, 4), np.float32))
    np.save(device / "label.npy", np.array([0, 1]))
    command_line(device, "run", "decode", "--input", "z=z.npy", "label=label.npy", "--out", "decoded.npz")
    with np.load(device / "decoded.npz") as outputs:
        np.testing.assert_array_equal(outputs["image"], exported.decode(np.zeros((2, 4)), label=[0, 1]))


def test_classes_by_name_on_the_command_line(renamed):
    model = Runtime(renamed)
    for texts, index in ((["cat"], 2), (["name:1"], 0), (["index:1", "2"], None), (["name:2,0"], [1, 0])):
        if index is None:  # 2 is the name of one class and the index of another
            failed = command_line(renamed, "generate", "--num", 2, "--label", *texts, "--out", "no.npy", code=1)
            assert "2 is the name of class 1, and the index of class 'cat': write name:2 or index:2" in failed.stderr
            continue
        command_line(renamed, "generate", "--num", 2, "--seed", 1, "--label", *texts, "--out", "a.npy", "--overwrite")
        np.testing.assert_array_equal(np.load(renamed / "a.npy"), model.generate(2, 1, label=index))
    assert not (renamed / "no.npy").exists()


def test_existing_files_need_overwrite(renamed, monkeypatch):
    monkeypatch.chdir(renamed)
    (renamed / "mine.png").write_bytes(b"mine")
    for name, message in (
        ("mine.png", "mine.png exists. Replace it (--overwrite), or choose another name (--out)"),
        ("a.gif", "expected a name that ends in .png, .npy, .jpg, .jpeg, .webp, .bmp, .tif, .tiff; received '.gif'"),
        ("a.jpg", "needs Pillow"),  # Pillow is blocked
    ):
        failed = command_line(
            renamed, "--folder", "gone", "generate", "--out", name, code=1
        )  # before the export is opened
        assert message in failed.stderr
    assert (renamed / "mine.png").read_bytes() == b"mine"
    options = ["generate", "--num", "2", "--seed", "1", "--label", "cat"]
    for _ in range(2):
        main(["--folder", str(renamed), *options])
    assert (renamed / "generated.png").read_bytes() == (renamed / "generated_2.png").read_bytes()
    for name, format in (("a.jpg", "JPEG"), ("a.webp", "WEBP"), ("a.TIF", "TIFF"), ("a.bmp", "BMP")):
        main(["--folder", str(renamed), *options, "--out", name])
        with Image.open(name) as picture:
            assert picture.format == format and picture.size == (2 * (SIZE + 2) + 2, SIZE + 4)


def test_a_damaged_export_gives_an_error_without_a_traceback(copied):
    text = (copied / "model.json").read_text()
    (copied / "model.json").write_text(text.replace('"kind": "normal"', '"kind": "uniform"'))
    failed = command_line(copied, "generate", "--num", 1, "--label", 0, "--out", "images.npy", code=1)
    assert failed.stderr.startswith("error: ") and "Traceback" not in failed.stderr
    assert "model.json is damaged: signatures." in failed.stderr and not (copied / "images.npy").exists()
