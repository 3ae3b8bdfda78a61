"""Image files on the device become what `data.load` returned for training, also files of 12 bits."""

import json
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_gen import data
from keras_gen.export import export
from keras_gen.runs import Run
from keras_gen.runtime.images import decode_image, read_images, scale_image
from tests.export.conftest import SIZE

from .device import command_line

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
    np.testing.assert_allclose(read_images(files, shape, **options), batch["image"], atol=1e-6)


def test_twelve_bits_on_the_command_line_of_an_exported_run(identity, tmp_path):
    """From config.json into model.json, and from there into the preprocessing of files."""
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
        command_line(folder, "reconstruct", name, "--out", f"{name}.npy", blocked=False)
        outputs = np.load(folder / f"{name}.npy")[0, ..., 0].astype(np.float64)
        np.testing.assert_allclose(np.log(outputs / (1 - outputs)), DEEP / 4095, atol=2e-6)  # a sigmoid in float32
    np.save(folder / "deep.npy", DEEP[..., None])  # integers are scaled, floats are in [0, 1] already
    np.testing.assert_allclose(
        read_images([folder / "deep.npy"], (8, 8, 1), (0, 4095))[0, ..., 0], DEEP / 4095, atol=1e-6
    )
    Image.fromarray(16 * DEEP).save(folder / "wide.png")
    failed = command_line(folder, "reconstruct", "wide.png", code=1, blocked=False)
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
        np.testing.assert_array_equal(decode_image(tmp_path / f"deep{number}.png"), pixels)
    gray = Image.fromarray(pixels[..., 0])
    gray.save(tmp_path / "gray.png")
    gray.save(tmp_path / "gray.tif")
    gray.save(tmp_path / "packed.tif", compression="tiff_lzw")
    Image.fromarray((pixels[..., :3] // 16).astype(np.uint8)).save(tmp_path / "shallow.png")
    files, shape = sorted(tmp_path.iterdir()), (8, 10, channels)
    (batch,) = data.load(tmp_path, image_shape=shape, batch_size=10, shuffle=False, **options)
    np.testing.assert_allclose(read_images(files, shape, **options), batch["image"], atol=1e-6)


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
        found = scale_image(image, value_range)
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-7)
        assert found.dtype == np.float32 and found.shape == image.shape


def test_an_8_bit_file_among_those_of_12_bits_stays_as_it_is():
    image = np.uint8([[[0], [51], [255]]])
    assert scale_image(image, (0, 4095)) is image


def test_opacity_has_the_range_of_its_type():
    stored = np.uint16([[[0, 65535], [4095, 13107]]])
    np.testing.assert_allclose(scale_image(stored, (0, 4095)), [[[0, 1], [1, 0.2]]], atol=1e-7)


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
    assert decode_image(tmp_path / "fine.tif").shape == (2, 2, 1)
    (tmp_path / "negative.tif").write_bytes(tags(_262=0))
    with pytest.raises(ValueError, match="0 is white in its pixels of more than 8 bits"):
        decode_image(tmp_path / "negative.tif")
    (tmp_path / "tile.tif").write_bytes(tags(_322=65536, _323=65536))
    with pytest.raises(ValueError, match="tiles of 65536 x 65536 pixels; expected at most 50000000"):
        decode_image(tmp_path / "tile.tif")


def test_numbers_outside_of_the_range_are_refused(tmp_path):
    with pytest.raises(ValueError, match="from 0 .black. to 16 .white., as in the training data; received 0 to 17"):
        scale_image(np.uint8([[[0], [17]]]), (0, 16))
    with pytest.raises(ValueError, match="from 0 .black. to 1 .white.*received nan to nan"):
        scale_image(np.float32([[[0], [np.nan]]]))
    np.save(tmp_path / "deep.npy", DEEP[..., None])
    with pytest.raises(ValueError, match="deep.npy: expected floats from 0 to 1, or 8-bit integers; received uint16"):
        read_images([tmp_path / "deep.npy"], (8, 8, 1))
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "clear.png")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "color.png")
    with pytest.raises(ValueError, match="color.png: Expected an image with 4 channels; received 3"):
        read_images([tmp_path / "clear.png", tmp_path / "color.png"], (8, 8, 4))


def test_image_files_are_fitted_with_pillow(device, tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 15:45] = 255  # around the middle square, which is what the crop keeps
    Image.fromarray(wide).save(tmp_path / "wide.png")
    read = read_images([tmp_path / "wide.png"], (SIZE, SIZE, 1))
    assert read.shape == (1, SIZE, SIZE, 1) and read.min() == 1.0
    shutil.copy(tmp_path / "wide.png", device / "wide.png")
    failed = command_line(device, "reconstruct", "wide.png", "--label", 0, code=1)  # Pillow is blocked there
    assert "error: wide.png: image files need Pillow" in failed.stderr


def test_image_files_are_bounded_and_of_known_formats(tmp_path):
    """Neither an interpreter of PostScript nor a decoder of gigapixels is reached."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(
        ValueError, match="a.png cannot be read as an image: expected PNG, JPEG, WEBP, BMP, GIF, TIFF; rec"
    ):
        read_images([tmp_path / "a.png"], (SIZE, SIZE, 1))
    header = b"IHDR" + (9000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunk = b"\0\0\0\r" + header + zlib.crc32(header).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x10IDAT")
    with pytest.raises(ValueError, match="bomb.png: expected at most 50000000 pixels; received 9000 x 9000: make it"):
        read_images([tmp_path / "bomb.png"], (SIZE, SIZE, 1))
    with pytest.raises(FileNotFoundError, match="is not a file"):
        read_images([tmp_path], (SIZE, SIZE, 1))


def flat_zip(path):
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    path.with_suffix(".npz").rename(path)


def promising(path):
    """A header of 1 TB, and no data."""
    np.lib.format.write_array_header_1_0(
        file := open(path, "wb"), {"descr": "<f4", "fortran_order": False, "shape": (2**38,)}
    )
    file.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no array"),
        flat_zip,
        promising,
        lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
    ],
    ids=["empty", "text", "npz", "promising", "objects"],
)
def test_arrays_that_cannot_be_read(folder, tmp_path, write):
    write(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="a.npy cannot be read as a numpy array"):
        read_images([tmp_path / "a.npy"], (16, 16, 1))


def test_arrays_of_another_shape(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"a.npy: expected images of the shape \[num, 16, 16, 1\]; received \[2, 8"):
        read_images([tmp_path / "a.npy"], (16, 16, 1))
