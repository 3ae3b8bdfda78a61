"""Uploads of every kind are read in the same way as training data."""

import pathlib
import types
import zlib

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from demos.panels.image_components import display_image
from demos.panels.uploads import read_image as read_upload
from keras_gen.data.resize import Resize

ORIENTATION = 0x0112  # EXIF


def read_image(path, shape, invert=False, **preprocessing):
    """Reads an image for a model with that image shape and that preprocessing in model.json."""
    return read_upload(path, types.SimpleNamespace(image_shape=shape, preprocessing=preprocessing), invert)


def picture(height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def write_image(path, array):
    Image.fromarray(array.squeeze()).save(path)
    return str(path)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("shape", [(12, 12, 1), (10, 14, 3)])
@pytest.mark.parametrize("size", [(40, 61), (7, 5), (12, 12)])
def test_uploads_are_resized_like_the_training_data(tmp_path, size, shape, channels):
    array = picture(*size, channels)
    expected = Resize(shape)(array).astype(np.float32) / 255
    image = read_image(write_image(tmp_path / "image.png", array), shape)
    assert image.dtype == np.float32 and image.shape == shape
    np.testing.assert_array_equal(image, expected)


def test_orientation_of_photographs_is_applied(tmp_path):
    array = picture(20, 30, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # stored rotated by 90 degrees to the left
    Image.fromarray(np.rot90(array)).save(tmp_path / "turned.png", exif=exif)
    upright = read_image(write_image(tmp_path / "upright.png", array), (8, 8, 3))
    np.testing.assert_array_equal(read_image(str(tmp_path / "turned.png"), (8, 8, 3)), upright)


def test_sixteen_bits_keep_their_range(tmp_path):
    levels = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    image = read_image(str(tmp_path / "deep.png"), (8, 8, 1))[..., 0]
    np.testing.assert_allclose(image, levels / 65535, atol=1e-6)


def test_uploads_have_the_value_range_of_the_training_data(tmp_path):
    levels = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    image = read_image(str(tmp_path / "deep.png"), (8, 8, 1), value_range=[0, 4095])[..., 0]
    np.testing.assert_allclose(image, levels / 4095, atol=1e-6)
    with pytest.raises(gr.Error) as error:
        read_image(str(tmp_path / "deep.png"), (8, 8, 1), value_range=[0, 1023])
    assert "deep.png: expected numbers from 0 (black) to 1023 (white)" in error.value.message


def test_images_saved_from_a_demo_are_read_as_8_bits(tmp_path):
    array = picture(8, 8, 1)
    path = write_image(tmp_path / "shown.png", display_image(array.astype(np.float32) / 255))
    np.testing.assert_array_equal(read_image(path, (8, 8, 1), value_range=[0, 16]), array.astype(np.float32) / 255)


def test_transparent_palettes_are_composited_on_white(tmp_path):
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((0, 0), 1)
    palette.save(tmp_path / "palette.png", transparency=0)
    image = read_image(str(tmp_path / "palette.png"), (8, 8, 3))
    np.testing.assert_array_equal(image[0, 0], [0, 1, 0])
    np.testing.assert_array_equal(image[1:], 1)


@pytest.mark.parametrize("mode", ["CMYK", "1", "LA"])
def test_other_modes_are_read(tmp_path, mode):
    name = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (9, 9), "white").convert(mode).save(name)
    np.testing.assert_allclose(read_image(str(name), (8, 8, 3)), 1, atol=2 / 255)


def test_invert_returns_the_negative(tmp_path):
    path = write_image(tmp_path / "image.png", picture(8, 8, 1))
    np.testing.assert_allclose(read_image(path, (8, 8, 1), True), 1 - read_image(path, (8, 8, 1)))


def test_enlarged_images_are_restored_exactly(tmp_path):
    array = picture(12, 14, 3)
    displayed = display_image(array.astype(np.float32) / 255)
    assert displayed.shape == (12 * 22, 14 * 22, 3)  # enlarged by 320 // 14 = 22
    image = read_image(write_image(tmp_path / "shown.png", displayed), (12, 14, 3))
    np.testing.assert_array_equal(image, array.astype(np.float32) / 255)


def check_refused(path, message):
    with pytest.raises(gr.Error) as error:
        read_image(path, (8, 8, 3))
    assert message in error.value.message


def test_errors_name_files_that_are_not_images(tmp_path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "empty.png").write_bytes(b"")
    intact = write_image(tmp_path / "whole.png", picture(64, 64, 3))
    (tmp_path / "cut.png").write_bytes(pathlib.Path(intact).read_bytes()[:2000])
    for name in ("text.png", "drawing.svg", "empty.png", "cut.png"):
        check_refused(str(tmp_path / name), f"{name} cannot be read as an image")
    check_refused(None, "There is no image yet")


def test_pixels_without_a_known_range_are_refused(tmp_path):
    Image.fromarray(np.full((8, 8), 2, np.float32)).save(tmp_path / "float.tiff")
    check_refused(str(tmp_path / "float.tiff"), "float.tiff: expected numbers from 0 (black) to 1 (white)")


def test_other_formats_are_refused_despite_their_extension(tmp_path):
    """An EPS file must not reach Ghostscript. The first frame of a GIF is used."""
    eps = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    (tmp_path / "drawing.png").write_text(eps)
    Image.new("RGB", (8, 8)).save(tmp_path / "image.ppm")
    for name in ("drawing.png", "image.ppm"):
        check_refused(
            str(tmp_path / name),
            f"{name} cannot be read as an image: its content is no PNG, JPEG, WEBP, BMP, GIF or TIFF image. Upload",
        )
    Image.new("RGB", (8, 8), "white").save(tmp_path / "image.gif")
    assert read_image(str(tmp_path / "image.gif"), (8, 8, 3)).min() == 1


def test_decompression_bombs_are_refused_before_decoding(tmp_path):
    header = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (9000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    checksum = zlib.crc32(header[-17:]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(header + checksum + b"\0\0\0\x10IDAT")
    check_refused(
        str(tmp_path / "bomb.png"),
        "bomb.png cannot be read as an image: 9,000 x 9,000 are 81,000,000 pixels; expected at most 50,000,000",
    )
