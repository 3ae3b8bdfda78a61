import numpy as np
import pytest
from PIL import Image

from keras_gen.data.image_files import read_image
from keras_gen.data.info import UnreadableImage

RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (24, 16, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (24, 16, 4), np.uint8)


@pytest.mark.parametrize("kind", ["png", "bmp", "webp"])
def test_lossless_formats_are_exact(tmp_path, kind):
    Image.fromarray(COLOR).save(tmp_path / f"a.{kind}", lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{kind}"), COLOR)


def test_the_content_decides_not_the_name(tmp_path):
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


def test_sixteen_bits_become_eight(tmp_path):
    deep = np.uint16([[0, 128, 129, 257, 65535, 32896]])
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png")[..., 0], [[0, 0, 1, 1, 255, 128]])


def test_orientation_of_a_photo(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: to be shown after a quarter turn clockwise
    photo = np.zeros((24, 16, 3), np.uint8)
    photo[:8] = 255
    Image.fromarray(photo).save(tmp_path / "a.jpg", exif=exif, quality=95)
    out = read_image(tmp_path / "a.jpg")
    assert out.shape == (16, 24, 3)
    assert out[:, -7:].min() > 200 and out[:, :15].max() < 50


def test_large_photos_are_decoded_small_but_large_enough(tmp_path):
    Image.fromarray(np.full((800, 600, 3), 90, np.uint8)).save(tmp_path / "a.jpg")
    shape = read_image(tmp_path / "a.jpg", (32, 32)).shape
    assert shape[0] < 400 and min(shape[:2]) >= 64
    assert read_image(tmp_path / "a.jpg").shape == (800, 600, 3)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_files(tmp_path, kind, part):
    file = tmp_path / f"a.{kind}"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])
    with pytest.raises(UnreadableImage) as caught:
        read_image(file)
    assert caught.value.file == str(file) and caught.value.reason


@pytest.mark.parametrize(
    "content, says", [(b"no image, just text\n", "its content is no PNG, JPEG, WEBP or BMP image"), (b"", "empty")]
)
def test_other_contents(tmp_path, content, says):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableImage, match=says):
        read_image(tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match="no such file"):
        read_image(tmp_path / "none.png")
