"""Image files are read on the device as `data.load` reads them for training, including files of 12 bits."""

import json
import os
import shutil
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from benchmarks.hostile_inputs import tiff, write_hostile_inputs
from keras_gen import data
from keras_gen.export import export
from keras_gen.runs import Run
from keras_gen.runtime.image_file import UnreadableImage, read_image
from keras_gen.runtime.images import read_images, scale_image
from tests.export.conftest import SIZE

from .device import command_line
from .test_image_file import png_file

ORIENTATION = 0x0112  # EXIF
DEEP = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)


def write_every_mode(folder) -> list:
    """Writes files of every mode that `data.load` reads, with sizes that must be resized."""
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
def test_images_of_every_mode_are_read_as_in_training(tmp_path, channels, options):
    files, shape = write_every_mode(tmp_path), (10, 12, channels)
    if channels == 4:
        files = [file for file in files if file.stem in ("rgba", "la", "clear_palette", "clear")]
        for file in set(tmp_path.iterdir()) - set(files):
            file.unlink()
    (batch,) = data.load(tmp_path, image_shape=shape, batch_size=20, shuffle=False, **options)
    np.testing.assert_allclose(read_images(files, shape, **options), batch["image"], atol=1e-6)


def test_value_range_of_a_run_reaches_the_command_line_of_its_export(identity, tmp_path):
    """The range in config.json is exported to model.json and used in the preprocessing of files."""
    np.savez(tmp_path / "images.npz", image=np.zeros((6, 8, 8, 1), np.uint8))
    data_config = {"source": str(tmp_path / "images.npz"), "splits": {"train": "train"}, "value_range": [0, 4095]}
    config = {
        "system": "autoencoder",
        "image_shape": [8, 8, 1],
        "data": data_config,
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
        np.testing.assert_allclose(np.log(outputs / (1 - outputs)), DEEP / 4095, atol=2e-6)  # inverse sigmoid
    np.save(folder / "deep.npy", DEEP[..., None])  # integers are scaled; floats are expected in [0, 1]
    np.testing.assert_allclose(
        read_images([folder / "deep.npy"], (8, 8, 1), (0, 4095))[0, ..., 0], DEEP / 4095, atol=1e-6
    )
    Image.fromarray(16 * DEEP).save(folder / "wide.png")
    failed = command_line(folder, "reconstruct", "wide.png", code=1, blocked=False)
    assert failed.stderr.splitlines()[-1] == (
        "error: wide.png: expected numbers from 0 (black) to 4095 (white), as in the training data; received 0 to "
        "65520; rescale them to this range"
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_training_and_device_scale_12_bit_images_alike(tmp_path, channels):
    generator, options = np.random.default_rng(0), {"value_range": (0, 4095)}
    for number in (2, 3, 4):
        pixels = generator.integers(0, 4096, (20, 31, number)).astype(np.uint16)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        (tmp_path / f"deep{number}.png").write_bytes(png_file(31, 20, rows, {2: 4, 3: 2, 4: 6}[number], False))
        np.testing.assert_array_equal(read_image(tmp_path / f"deep{number}.png"), pixels)
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
    for image in (stored[:, None, None], stored[None, None]):  # three gray pixels, then one color pixel
        scaled = scale_image(image, value_range)
        np.testing.assert_allclose(scaled.ravel(), expected, atol=1e-7)
        assert scaled.dtype == np.float32 and scaled.shape == image.shape


def test_8_bit_images_ignore_a_12_bit_range():
    image = np.uint8([[[0], [51], [255]]])
    assert scale_image(image, (0, 4095)) is image


def test_alpha_has_the_full_range_of_its_type():
    stored = np.uint16([[[0, 65535], [4095, 13107]]])
    np.testing.assert_allclose(scale_image(stored, (0, 4095)), [[[0, 1], [1, 0.2]]], atol=1e-7)


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


def test_image_files_are_resized_with_pillow(device, tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 15:45] = 255  # covers the central square, which the crop keeps
    Image.fromarray(wide).save(tmp_path / "wide.png")
    read = read_images([tmp_path / "wide.png"], (SIZE, SIZE, 1))
    assert read.shape == (1, SIZE, SIZE, 1) and read.min() == 1.0
    shutil.copy(tmp_path / "wide.png", device / "wide.png")
    failed = command_line(device, "reconstruct", "wide.png", "--label", 0, code=1)  # Pillow is blocked there
    assert "error: wide.png: image files need Pillow" in failed.stderr


HOSTILE = {
    "png_bomb": "13,000 x 13,000 are 169,000,000 pixels; expected at most 50,000,000; make it smaller",
    "png_bomb_sides": "pixels; expected at most 50,000,000; make it smaller",
    "png_text_bomb": "too large",
    "png_endless_chunk": "broken data stream",
    "png_is_postscript": "its content is no PNG, JPEG, WEBP, BMP, GIF or TIFF image",
    "png_is_empty": "the file is empty",
    "jpeg_bomb": "65,000 x 65,000 are 4,225,000,000 pixels; expected",
    "webp_bomb": "268,435,456 pixels; expected",
    "bmp_bomb": "10,000,000,000 pixels; expected",
    "gif_bomb": "4,294,836,225 pixels; expected",
    "tiff_bomb": "10,000,000,000 pixels; expected",
    "tiff_tile_bomb": "its tiles have 1,073,741,824 pixels; expected at most 50,000,000; make it smaller",
    "tiff_truncated": "buffer is not large enough",
    "tiff_damaged_lzw": "its pixels are damaged or incomplete",
    "fifo": "expected a regular file; received a named pipe",
    "socket": "expected a regular file; received a socket",
    "device": "expected a regular file; received a device",
    "link_loop": "Too many levels of symbolic links",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return write_hostile_inputs(tmp_path_factory.mktemp("hostile") / "inputs")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_image_file_is_refused_before_it_takes_memory_or_time(hostile, fail_if_blocked, name, capfd):
    (file,) = hostile[name].iterdir()
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableImage, match=HOSTILE[name]) as error:
            read_images([file], (8, 8, 1))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert str(error.value) == f"{file}: {error.value.reason}"
    assert capfd.readouterr() == ("", "")


def test_a_file_of_too_many_bytes_is_refused(tmp_path):
    """WebP is read as a whole; a sparse file takes no space on the disk."""
    with open(tmp_path / "a.webp", "wb") as stream:
        stream.write(b"RIFF")
        os.truncate(stream.fileno(), (1 << 30) + 1)
    with pytest.raises(UnreadableImage, match="1,073,741,825 bytes; expected at most 1,073,741,824"):
        read_images([tmp_path / "a.webp"], (8, 8, 1))


def test_folders_and_missing_files_are_refused(tmp_path):
    for path, reason in (
        (tmp_path, "a regular file; received a folder"),
        (tmp_path / "a.png", "no such file"),
    ):
        with pytest.raises(UnreadableImage, match=reason):
            read_images([path], (8, 8, 1))
    with pytest.raises(FileNotFoundError, match="a.npy does not exist, or is not a file"):
        read_images([tmp_path / "a.npy"], (8, 8, 1))


def test_numbers_of_32_bits(tmp_path):
    """Unsigned integers, which Pillow reads as signed, and floats, of which NaN is refused."""
    (tmp_path / "a.tif").write_bytes(tiff(np.array([[[0], [2**31], [2**32 - 1]]], "<u4"), False))
    found = read_images([tmp_path / "a.tif"], (1, 3, 1), (0, 2**32 - 1))
    np.testing.assert_allclose(found.ravel(), [0, 0.5, 1], atol=1e-7)
    (tmp_path / "b.tif").write_bytes(tiff(np.array([[[0], [np.nan]]], "<f4"), False))
    with pytest.raises(UnreadableImage, match="b.tif: expected finite pixels; received NaN or infinite ones"):
        read_images([tmp_path / "b.tif"], (1, 2, 1))


def write_npz_as_npy(path):
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    path.with_suffix(".npz").rename(path)


def write_header_only(path):
    """Writes the header of an array of 1 TB without data."""
    np.lib.format.write_array_header_1_0(
        file := open(path, "wb"), {"descr": "<f4", "fortran_order": False, "shape": (2**38,)}
    )
    file.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no array"),
        write_npz_as_npy,
        write_header_only,
        lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
    ],
    ids=["empty", "text", "npz", "header only", "objects"],
)
def test_unreadable_arrays_are_refused(folder, tmp_path, write):
    write(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="a.npy cannot be read as a numpy array"):
        read_images([tmp_path / "a.npy"], (16, 16, 1))


def test_arrays_of_another_shape_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"a.npy: expected images of the shape \[num, 16, 16, 1\]; received \[2, 8"):
        read_images([tmp_path / "a.npy"], (16, 16, 1))
