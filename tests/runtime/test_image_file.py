import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.hostile_inputs import tiff
from keras_gen.runtime.image_file import UnreadableImage, read_header, read_image

ROOT = pathlib.Path(__file__).parents[2]
RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (24, 16, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (24, 16, 4), np.uint8)


@pytest.mark.parametrize("kind", ["png", "bmp", "webp"])
def test_lossless_formats_are_exact(tmp_path, kind):
    Image.fromarray(COLOR).save(tmp_path / f"a.{kind}", lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{kind}"), COLOR)


def test_format_is_detected_from_the_content(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / "a.jpg", format="png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), COLOR)


def test_transparency_gray_and_palettes(tmp_path):
    Image.fromarray(ALPHA).save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), ALPHA)
    Image.fromarray(ALPHA[..., :2], "LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_image(tmp_path / "la.png"), ALPHA[..., :2])
    Image.fromarray(COLOR[..., 0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png"), COLOR[..., :1])
    palette = Image.fromarray(COLOR // 64 * 64).quantize(64)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))
    palette.save(tmp_path / "clear.png", transparency=0)
    clear = read_image(tmp_path / "clear.png")
    np.testing.assert_array_equal(clear[..., 3], np.where(np.asarray(palette) == 0, 0, 255))
    Image.fromarray(COLOR[..., 0] > 127).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), (COLOR[..., :1] > 127) * 255)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bits_are_preserved(tmp_path, kind):
    deep = np.uint16([[0, 128, 129, 257, 65535, 32896]])
    Image.fromarray(deep).save(tmp_path / f"deep.{kind}")
    np.testing.assert_array_equal(read_image(tmp_path / f"deep.{kind}"), deep[..., None])
    assert read_header(tmp_path / f"deep.{kind}") == ((1, 6), 1, True, False)


def png_file(width, height, raw, color, interlaced, *chunks):
    """Returns a PNG with 16 bits per channel."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, interlaced)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("color, channels", [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("interlaced", [False, True])
def test_every_kind_of_png_with_sixteen_bits_is_exact(tmp_path, color, channels, interlaced):
    """Pillow alone keeps the upper 8 bits of all but gray."""
    deep = RNG.integers(0, 65536, (5, 1, channels), np.uint16)
    # of an interlaced image one pixel wide: rows 0, then 4, then 2, then 1 and 3
    rows = deep[[0, 4, 2, 1, 3]] if interlaced else deep
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    (tmp_path / "a.png").write_bytes(png_file(1, 5, raw, color, interlaced))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), deep)
    assert read_header(tmp_path / "a.png") == ((5, 1), channels, True, False)


def test_a_transparent_color_of_sixteen_bits(tmp_path):
    deep = np.uint16([[[1000, 2000, 3000], [1000, 2000, 3001]]])
    clear = (b"tRNS", np.array([1000, 2000, 3000], ">u2").tobytes())
    raw = b"\0" + deep.astype(">u2").tobytes()
    (tmp_path / "a.png").write_bytes(png_file(2, 1, raw, 2, False, clear))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], [[1000, 2000, 3000, 0], [1000, 2000, 3001, 65535]])


VALUES = RNG.integers(0, 65536, (6, 4, 4))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "values, extra",
    [
        (VALUES[..., :1].astype(np.uint8), None),
        (VALUES[..., :1].astype(np.uint16), None),
        ((VALUES[..., :1] - 30000).astype(np.int16), None),
        ((VALUES[..., :1] * 1000 - 30_000_000).astype(np.int32), None),
        ((VALUES[..., :1] / 7 - 1000).astype(np.float32), None),
        (VALUES[..., :3].astype(np.uint16), None),
        (VALUES.astype(np.uint16), 2),
    ],
    ids=["uint8", "uint16", "int16", "int32", "float32", "color", "transparent"],
)
def test_tiff_is_exact(tmp_path, order, compressed, values, extra):
    """Pillow alone keeps 8 bits of colors, and reads compressed numbers with swapped byte order wrongly."""
    (tmp_path / "a.tif").write_bytes(tiff(values.astype(values.dtype.newbyteorder(order)), compressed, extra))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), values)


def test_unsigned_integers_of_32_bits(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(np.array([[[0], [2**32 - 1]]], "<u4"), False))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 0], [[0, 2**32 - 1]])


@pytest.mark.parametrize(
    "values, options, message",
    [
        (np.zeros((2, 2, 1), "<f8"), {}, "expected a TIFF file with 8 or 16 bits; received an unknown pixel format"),
        (np.full((2, 2, 1), np.nan, "<f4"), {}, "NaN or infinite"),
        (np.zeros((2, 2, 1), "<i1"), {}, "signed pixels of 8 bits"),
        (np.zeros((2, 2, 1), "<u2"), {"photometric": 0}, "received 0 as white"),
        (
            np.zeros((2, 2, 1), "<u2"),
            {"tags": {322: 65536, 323: 65536}},
            "its tiles have 4,294,967,296 pixels",
        ),
        (np.zeros((2, 2, 4), "<u2"), {"extra": 1}, "16 bits per channel; received the color mode RGBa"),
    ],
)
def test_tiffs_that_pillow_misreads_are_refused(tmp_path, values, options, message):
    (tmp_path / "a.tif").write_bytes(tiff(values, False, **options))
    with pytest.raises(UnreadableImage, match=message):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["tif", "gif", "webp", "png"])
def test_first_page_or_frame_is_read(tmp_path, kind):
    pages = [Image.new("RGB", (6, 4), color) for color in ("red", "blue")]
    pages[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=pages[1:], lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{kind}")[..., :3], np.asarray(pages[0]))
    assert read_header(tmp_path / f"a.{kind}").several


@pytest.mark.parametrize("kind", ["png", "gif", "tif", "bmp"])
def test_gray_palettes_are_read_as_gray(tmp_path, kind):
    Image.fromarray(COLOR[..., 0]).convert("P").save(tmp_path / f"gray.{kind}")
    assert read_header(tmp_path / f"gray.{kind}").channels == 1
    np.testing.assert_array_equal(read_image(tmp_path / f"gray.{kind}")[..., 0], COLOR[..., 0])
    Image.fromarray(COLOR).quantize(8).save(tmp_path / f"color.{kind}")
    assert read_header(tmp_path / f"color.{kind}").channels == 3


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
def test_header_size_accounts_for_orientation(tmp_path, kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOR).save(tmp_path / f"a.{kind}", exif=exif)
    assert read_header(tmp_path / f"a.{kind}").size == (16, 24) == read_image(tmp_path / f"a.{kind}").shape[:2]


def test_orientation_of_a_photo(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # EXIF orientation 6: rotate by 90 degrees clockwise for display
    photo = np.zeros((24, 16, 3), np.uint8)
    photo[:8] = 255
    Image.fromarray(photo).save(tmp_path / "a.jpg", exif=exif, quality=95)
    out = read_image(tmp_path / "a.jpg")
    assert out.shape == (16, 24, 3)
    assert out[:, -7:].min() > 200 and out[:, :15].max() < 50


def test_large_photos_are_decoded_at_reduced_size(tmp_path):
    Image.fromarray(np.full((800, 600, 3), 90, np.uint8)).save(tmp_path / "a.jpg")
    shape = read_image(tmp_path / "a.jpg", (32, 32)).shape
    assert shape[0] < 400 and min(shape[:2]) >= 64
    assert read_image(tmp_path / "a.jpg").shape == (800, 600, 3)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_files_raise(tmp_path, kind, part):
    file = tmp_path / f"a.{kind}"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])
    with pytest.raises(UnreadableImage) as caught:
        read_image(file)
    assert caught.value.file == str(file) and caught.value.reason


@pytest.mark.parametrize(
    "content, message",
    [(b"no image, just text\n", "its content is no PNG, JPEG, WEBP, BMP, GIF or TIFF image"), (b"", "empty")],
)
def test_other_contents_raise(tmp_path, content, message):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableImage, match=message):
        read_image(tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match="no such file"):
        read_image(tmp_path / "none.png")


def test_the_limit_of_pixels_is_named_to_callers_that_pass_it(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", max_pixels=24 * 16).shape == COLOR.shape
    for read in (read_image, read_header):
        with pytest.raises(UnreadableImage, match=r"16 x 24 are 384 pixels; expected at most 383 \(max_pixels\)$"):
            read(tmp_path / "a.png", max_pixels=383)


def test_a_photo_with_a_damaged_list_of_previews_is_read_without_a_warning(tmp_path):
    """In a process of its own, since pytest has its own filters of warnings."""
    photo = Image.fromarray(COLOR)
    photo.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[photo])
    content = (tmp_path / "a.jpg").read_bytes()
    start = content.index(b"MPF\0")
    number_of_images = content.index(b"\x01\xb0", start)  # a tag
    (tmp_path / "b.jpg").write_bytes(content[:number_of_images] + b"\x09" + content[number_of_images + 1 :])
    code = "import sys; from keras_gen.runtime.image_file import read_image; print(read_image(sys.argv[1]).sum())"
    command = [sys.executable, "-W", "always", "-c", code]
    sums = {
        subprocess.check_output([*command, tmp_path / name], stderr=subprocess.STDOUT, cwd=ROOT)
        for name in ("a.jpg", "b.jpg")
    }
    assert len(sums) == 1 and sums.pop().strip().isdigit()
