import numpy as np
import pytest
from PIL import Image

from keras_gen.training.source import crop_note, cropped_share, inspect_source


def test_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((5, 6, 7), np.uint8), x_test=np.zeros((2, 6, 7), np.uint8))
    found = inspect_source(tmp_path / "a.npz")
    assert (found.splits, found.image_size, found.channels) == ({"train": 5, "test": 2}, (6, 7), 1)


def test_shapes_are_rendered_and_nothing_is_drawn_to_say_so():
    found = inspect_source("shapes")
    assert found.splits["train"] == 20000 and (found.image_size, found.channels) == ((64, 64), 3) and found.rendered


@pytest.mark.parametrize(
    "images, size, channels",
    [
        ([("L", (6, 4)), ("L", (6, 4))], (4, 6), 1),
        ([("RGB", (6, 4)), ("RGB", (4, 4))], None, 3),
        ([("RGBA", (6, 4))], (4, 6), 3),
        ([("L", (6, 4)), ("RGB", (6, 4))], (4, 6), 3),
    ],
)
def test_a_folder_is_looked_into(tmp_path, images, size, channels):
    for index, (mode, shape) in enumerate(images):
        Image.new(mode, shape).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_text("no image")
    found = inspect_source(str(tmp_path))
    assert (found.image_size, found.channels, found.rendered) == (size, channels, False)
    assert found.splits == {"train": len(images) + 1}


@pytest.mark.parametrize("last, size, channels", [("RGB", (4, 6), 3), ("P", (4, 6), 3), ("L", None, 1)])
def test_every_file_is_looked_at(tmp_path, last, size, channels):
    for index in range(40):
        Image.new("L", (6, 4)).save(tmp_path / f"{index:02}.png")
    odd = Image.new("RGB", (6, 4) if size else (7, 4), "red")
    (odd.quantize(4) if last == "P" else odd.convert(last)).save(tmp_path / "z.png")
    found = inspect_source(tmp_path)
    assert (found.image_size, found.channels) == (size, channels)
    assert sum(found.sizes.values()) == 41


def test_modes_of_all_kinds(tmp_path):
    for mode in ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"):
        Image.new(mode, (8, 6)).save(tmp_path / f"{mode.replace(';', '')}.png")
    Image.new("CMYK", (8, 6)).save(tmp_path / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (6, 8)).save(tmp_path / "turned.jpg", exif=exif)
    found = inspect_source(tmp_path)
    assert (found.image_size, found.channels, found.notes) == ((6, 8), 3, ())
    for name in ("RGB.png", "RGBA.png", "cmyk.jpg"):
        (tmp_path / name).unlink()
    assert inspect_source(tmp_path).channels == 1  # the palette of a new image is black


@pytest.mark.parametrize("mode, channels", [("L", 1), ("RGB", 3)])
def test_two_folders(tmp_path, mode, channels):
    for name, own in (("a", "L"), ("b", mode)):
        (tmp_path / name).mkdir()
        Image.new(own, (8, 6)).save(tmp_path / name / "0.png")
    found = inspect_source(f"{tmp_path / 'a'},{tmp_path / 'b'}")
    assert (found.image_size, found.channels) == ((6, 8), channels)


@pytest.mark.parametrize(
    "sizes, size, share",
    [
        ({(32, 128): 3}, (32, 32), 0.75),
        ({(128, 32): 3}, (32, 32), 0.75),
        ({(32, 128): 3}, (16, 64), 0.0),
        ({(48, 64): 1, (64, 64): 1}, (32, 32), 0.125),
    ],
)
def test_what_cropping_removes(sizes, size, share):
    assert cropped_share(sizes, size) == pytest.approx(share)
    assert (crop_note(sizes, size) is None) == (share == 0)


def test_a_note_about_cropping():
    assert crop_note({(32, 128): 3}, (32, 32)).startswith(
        "Cropping to 32x32 (width x height) removes 75% of the area of 128x32 images. --view crop=pad keeps all of it"
    )
    assert "most are 64x48), on average" in crop_note({(48, 64): 2, (64, 64): 1}, (32, 32))
    assert crop_note({}, (32, 32)) is None
