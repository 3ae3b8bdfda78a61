"""Image files on the device become what `data.load` made of them for training, also where they hold 12 bits."""

import json
import struct
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen import data
from keras_gen.export import Runtime, export, export_model, runtime
from keras_gen.models import Autoencoder
from keras_gen.runs import Run

ORIENTATION = 0x0112  # EXIF
DEEP = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)


def write_every_mode(folder) -> list:
    """Files of every mode that `data.load` reads, of other sizes than any model has."""
    generator = np.random.default_rng(0)
    color = Image.fromarray(generator.integers(0, 256, (20, 31, 3), np.uint8))
    clear = Image.fromarray(generator.integers(0, 256, (31, 20, 4), np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    color.save(folder / "rgb.png")
    color.convert("L").save(folder / "gray.png")
    color.convert("1").save(folder / "bits.png")
    color.convert("P").save(folder / "palette.png")
    color.convert("P").save(folder / "clear_palette.png", transparency=3)
    clear.save(folder / "rgba.png")
    clear.convert("LA").save(folder / "la.png")
    color.convert("CMYK").save(folder / "cmyk.jpg")
    color.save(folder / "turned.jpg", exif=exif)
    color.resize((310, 200)).save(folder / "large.jpg")  # decoded at a fraction of its size
    clear.save(folder / "clear.webp", lossless=True)
    color.save(folder / "old.bmp")
    color.save(folder / "moving.gif")
    color.save(folder / "scan.tif", compression="tiff_lzw")
    color.resize((12, 10)).save(folder / "fitting.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("options", [{}, {"crop": "pad", "background": (0, 40, 255)}], ids=["center", "pad"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_files_of_every_mode_are_read_as_in_training(tmp_path, channels, options):
    files, shape = write_every_mode(tmp_path), (10, 12, channels)
    if channels == 4:
        files = [file for file in files if file.stem in ("rgba", "la", "clear_palette", "clear")]
        for file in set(tmp_path.iterdir()) - set(files):
            file.unlink()
    (batch,) = data.load(tmp_path, image_shape=shape, batch_size=20, shuffle=False, **options)
    np.testing.assert_allclose(runtime.read_images(files, shape, **options), batch["image"], atol=1e-6)


@pytest.fixture(scope="module")
def identity() -> Autoencoder:
    """Reconstructs each image as its sigmoid, so that what was read can be seen from outside."""
    image, code = keras.Input((8, 8, 1)), keras.Input((64,))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    return Autoencoder(encoder, keras.Model(code, keras.layers.Reshape((8, 8, 1))(code)))


def command_line(folder, *arguments, code: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, str(folder / "runtime.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_twelve_bits_on_the_command_line_of_an_exported_run(identity, tmp_path):
    """From config.json into model.json, and from there into what is read."""
    np.savez(tmp_path / "images.npz", image=np.zeros((6, 8, 8, 1), np.uint8))
    about = {"source": str(tmp_path / "images.npz"), "splits": {"train": "train"}, "value_range": [0, 4095]}
    config = {
        "system": "autoencoder",
        "image_shape": [8, 8, 1],
        "data": about,
        "training": {"batch_size": 2, "seed": 0},
    }
    run = Run.create(tmp_path / "run", config)
    identity.save(run.model_file)
    folder = export(run, quantize="none")
    assert json.loads((folder / "model.json").read_text())["value_range"] == [0, 4095]
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(DEEP).save(folder / name)
        command_line(folder, "reconstruct", name, "--out", f"{name}.npy")
        made = np.load(folder / f"{name}.npy")[0, ..., 0].astype(np.float64)
        np.testing.assert_allclose(np.log(made / (1 - made)), DEEP / 4095, atol=2e-6)  # a sigmoid in float32
    np.save(folder / "deep.npy", DEEP[..., None])  # integers are scaled, floats are in [0, 1] already
    np.testing.assert_allclose(
        runtime.read_images([folder / "deep.npy"], (8, 8, 1), (0, 4095))[0, ..., 0], DEEP / 4095, atol=1e-6
    )
    Image.fromarray(16 * DEEP).save(folder / "wide.png")
    failed = command_line(folder, "reconstruct", "wide.png", code=1)
    assert failed.stderr.splitlines()[-1] == (
        "error: wide.png: expected numbers from 0 (black) to 4095 (white), as in the training data; received 0 to "
        "65520; rescale them to this range"
    )


def deep_png(pixels: np.ndarray) -> bytes:
    """A PNG with 16 bits a channel, which Pillow does not write in color: uint16 [height, width, 2 to 4]."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("channels", [1, 3])
def test_training_and_device_scale_twelve_bits_alike(tmp_path, channels):
    generator, options = np.random.default_rng(0), {"value_range": (0, 4095)}
    for number in (2, 3, 4):
        pixels = generator.integers(0, 4096, (20, 31, number)).astype(np.uint16)
        (tmp_path / f"deep{number}.png").write_bytes(deep_png(pixels))
        np.testing.assert_array_equal(runtime.decode_image(tmp_path / f"deep{number}.png"), pixels)
    gray = Image.fromarray(pixels[..., 0])
    gray.save(tmp_path / "gray.png")
    gray.save(tmp_path / "gray.tif")
    gray.save(tmp_path / "packed.tif", compression="tiff_lzw")
    Image.fromarray((pixels[..., :3] // 16).astype(np.uint8)).save(tmp_path / "shallow.png")
    files, shape = sorted(tmp_path.iterdir()), (8, 10, channels)
    (batch,) = data.load(tmp_path, image_shape=shape, batch_size=10, shuffle=False, **options)
    np.testing.assert_allclose(runtime.read_images(files, shape, **options), batch["image"], atol=1e-6)


@pytest.mark.parametrize(
    ("stored", "value_range", "expected"),
    [
        (np.uint8([0, 4, 16]), (0, 16), [0, 0.25, 1]),
        (np.uint8([10, 60, 110]), (10, 110), [0, 0.5, 1]),
        (np.uint16([0, 13107, 65535]), None, [0, 0.2, 1]),
        (np.uint16([0, 819, 4095]), (0, 4095), [0, 0.2, 1]),
        (np.int32([-1000, 0, 1000]), (-1000, 1000), [0, 0.5, 1]),
        (np.float32([0, 0.2, 1]), None, [0, 0.2, 1]),
    ],
)
def test_scaling_by_hand(stored, value_range, expected):
    for image in (stored[:, None, None], stored[None, None]):  # three gray pixels, and one of color
        found = runtime.scale_image(image, value_range)
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-7)
        assert found.dtype == np.float32 and found.shape == image.shape


def test_an_8_bit_file_among_those_of_12_bits_stays_as_it_is():
    image = np.uint8([[[0], [51], [255]]])
    assert runtime.scale_image(image, (0, 4095)) is image


def test_opacity_has_the_range_of_its_type():
    stored = np.uint16([[[0, 65535], [4095, 13107]]])
    np.testing.assert_allclose(runtime.scale_image(stored, (0, 4095)), [[[0, 1], [1, 0.2]]], atol=1e-7)


def test_tiffs_that_pillow_reads_wrongly_or_at_any_cost_are_refused(tmp_path):
    """Of 16 bits, of which 0 is white; of four pixels in a tile of 65536 x 65536."""

    def tags(**changed) -> bytes:
        entries = {
            **{256: 2, 257: 2, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 8},
            **{int(tag[1:]): value for tag, value in changed.items()},
        }
        body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
        return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(entries)) + body + bytes(4)

    (tmp_path / "fine.tif").write_bytes(tags())
    assert runtime.decode_image(tmp_path / "fine.tif").shape == (2, 2, 1)
    (tmp_path / "negative.tif").write_bytes(tags(_262=0))
    with pytest.raises(ValueError, match="0 is white in its pixels of more than 8 bits"):
        runtime.decode_image(tmp_path / "negative.tif")
    (tmp_path / "tile.tif").write_bytes(tags(_322=65536, _323=65536))
    with pytest.raises(ValueError, match="tiles of 65536 x 65536 pixels; at most 50000000 are taken"):
        runtime.decode_image(tmp_path / "tile.tif")


def test_numbers_outside_of_the_range_are_refused(tmp_path):
    with pytest.raises(ValueError, match="from 0 .black. to 16 .white., as in the training data; received 0 to 17"):
        runtime.scale_image(np.uint8([[[0], [17]]]), (0, 16))
    with pytest.raises(ValueError, match="from 0 .black. to 1 .white.*received nan to nan"):
        runtime.scale_image(np.float32([[[0], [np.nan]]]))
    np.save(tmp_path / "deep.npy", DEEP[..., None])
    with pytest.raises(ValueError, match="deep.npy: expected floats from 0 to 1, or 8-bit integers; received uint16"):
        runtime.read_images([tmp_path / "deep.npy"], (8, 8, 1))
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "clear.png")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "color.png")
    with pytest.raises(ValueError, match="color.png: this model takes images with 4 channels; received 3"):
        runtime.read_images([tmp_path / "clear.png", tmp_path / "color.png"], (8, 8, 4))


def test_a_value_range_that_cannot_be_is_no_export(identity, tmp_path):
    options = {"calibration": np.zeros((1, 8, 8, 1)), "format": "tflite", "quantize": "none"}
    folder = export_model(identity, tmp_path / "export", value_range=(0, 4095), **options)
    assert Runtime(folder).reading == {"value_range": [0.0, 4095.0]}
    description = json.loads((folder / "model.json").read_text())
    for value, message in (
        ([4095, 0], "value_range: expected the number that is black, then a larger one that is white; received"),
        ([0], "value_range: expected a list of length 2 to 2"),
        (["0", "1"], r"value_range\[0\]: expected a finite number"),
    ):
        description["value_range"] = value
        description["digest"] = runtime.digest_of(description)
        (folder / "model.json").write_text(json.dumps(description))
        with pytest.raises(ValueError, match=message):
            Runtime(folder)
