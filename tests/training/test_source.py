import numpy as np
import pytest
from PIL import Image

from keras_gen.training.source import (
    SourceInfo,
    crop_note,
    cropped_share,
    image_shape_of,
    inspect_source,
    resize_note,
    splits_of,
    without_validation,
)


def test_an_array_file_is_inspected(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((5, 6, 7), np.uint8), x_test=np.zeros((2, 6, 7), np.uint8))
    info = inspect_source(tmp_path / "a.npz")
    assert (info.splits, info.image_size, info.channels) == ({"train": 5, "test": 2}, (6, 7), 1)


def test_shapes_are_rendered_and_inspected_without_rendering():
    info = inspect_source("shapes")
    assert info.splits["train"] == 20000 and (info.image_size, info.channels) == ((64, 64), 3) and info.rendered


@pytest.mark.parametrize(
    "images, size, channels",
    [
        ([("L", (6, 4)), ("L", (6, 4))], (4, 6), 1),
        ([("RGB", (6, 4)), ("RGB", (4, 4))], None, 3),
        ([("RGBA", (6, 4))], (4, 6), 3),
        ([("L", (6, 4)), ("RGB", (6, 4))], (4, 6), 3),
    ],
)
def test_images_of_a_folder_are_inspected(tmp_path, images, size, channels):
    for index, (mode, shape) in enumerate(images):
        Image.new(mode, shape).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_text("no image")
    info = inspect_source(str(tmp_path))
    assert (info.image_size, info.channels, info.rendered) == (size, channels, False)
    assert info.splits == {"train": len(images) + 1}


@pytest.mark.parametrize("last, size, channels", [("RGB", (4, 6), 3), ("P", (4, 6), 3), ("L", None, 1)])
def test_every_file_is_inspected(tmp_path, last, size, channels):
    for index in range(40):
        Image.new("L", (6, 4)).save(tmp_path / f"{index:02}.png")
    odd = Image.new("RGB", (6, 4) if size else (7, 4), "red")
    (odd.quantize(4) if last == "P" else odd.convert(last)).save(tmp_path / "z.png")
    info = inspect_source(tmp_path)
    assert (info.image_size, info.channels) == (size, channels)
    assert sum(info.sizes.values()) == 41


def test_images_of_all_modes_are_inspected(tmp_path):
    for mode in ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"):
        Image.new(mode, (8, 6)).save(tmp_path / f"{mode.replace(';', '')}.png")
    Image.new("CMYK", (8, 6)).save(tmp_path / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (6, 8)).save(tmp_path / "rotated.jpg", exif=exif)
    info = inspect_source(tmp_path)
    assert (info.image_size, info.channels, info.notes) == ((6, 8), 3, ())
    for name in ("RGB.png", "RGBA.png", "cmyk.jpg"):
        (tmp_path / name).unlink()
    assert inspect_source(tmp_path).channels == 1  # the palette of a new image is black


@pytest.mark.parametrize("mode, channels", [("L", 1), ("RGB", 3)])
def test_two_folders_are_inspected(tmp_path, mode, channels):
    for name, mode_of_folder in (("a", "L"), ("b", mode)):
        (tmp_path / name).mkdir()
        Image.new(mode_of_folder, (8, 6)).save(tmp_path / name / "0.png")
    info = inspect_source(f"{tmp_path / 'a'},{tmp_path / 'b'}")
    assert (info.image_size, info.channels) == ((6, 8), channels)


@pytest.mark.parametrize(
    "sizes, size, share",
    [
        ({(32, 128): 3}, (32, 32), 0.75),
        ({(128, 32): 3}, (32, 32), 0.75),
        ({(32, 128): 3}, (16, 64), 0.0),
        ({(48, 64): 1, (64, 64): 1}, (32, 32), 0.125),
    ],
)
def test_cropped_share(sizes, size, share):
    assert cropped_share(sizes, size) == pytest.approx(share)
    assert (crop_note(sizes, size) is None) == (share == 0)


def test_crop_note():
    assert crop_note({(32, 128): 3}, (32, 32)).startswith(
        "Cropping to 32x32 (width x height) removes 75% of the area of 128x32 images. --view crop=pad keeps all of it"
    )
    assert "most are 64x48), on average" in crop_note({(48, 64): 2, (64, 64): 1}, (32, 32))
    assert crop_note({}, (32, 32)) is None


@pytest.mark.parametrize(
    "size, channels, rendered, requested, expected",
    [
        ((28, 28), 1, False, None, (28, 28, 1)),  # MNIST
        ((64, 64), 3, True, None, (32, 32, 3)),  # shapes can be rendered at any size
        ((218, 178), 3, False, None, (32, 32, 3)),  # not square
        ((65, 65), 3, False, None, (32, 32, 3)),  # larger than 64
        (None, 4, False, None, (32, 32, 3)),  # differing sizes, transparency
        ((28, 28), 1, False, (64, 48), (64, 48, 1)),
    ],
)
def test_default_size_is_that_of_small_square_images(size, channels, rendered, requested, expected):
    assert image_shape_of(SourceInfo({}, size, channels, rendered), requested, 32) == expected


@pytest.mark.parametrize(
    "sizes, rendered, expected",
    [
        ({(350, 350): 5}, False, 64),
        ({(64, 80): 5}, False, 64),
        ({(63, 80): 5}, False, 32),
        ({(40, 60): 3, (300, 400): 2}, False, 32),  # most are small
        ({(40, 60): 2, (300, 400): 3}, False, 64),
        ({}, False, 64),  # unknown
        ({(64, 64): 5}, True, 32),
    ],
)
def test_photos_have_a_size_of_their_own(sizes, rendered, expected):
    source = SourceInfo({}, None, 3, rendered, sizes=sizes)
    assert image_shape_of(source, None, 32, 64) == (expected, expected, 3)
    assert image_shape_of(source, None, 32) == (32, 32, 3)


def test_a_note_about_resizing():
    photos = SourceInfo({}, (350, 350), 3, sizes={(350, 350): 9})
    assert resize_note(photos, (64, 64)) == (
        "Images of 350x350 pixels are resized to 64x64; --image-size 128 keeps more detail, and a step takes about "
        "four times as long."
    )
    assert resize_note(SourceInfo({}, (218, 178), 3), (64, 64))  # TFDS knows the size without reading the images
    assert "most are 400x300) are resized to 64x48; --image-size 96x128" in (
        resize_note(SourceInfo({}, None, 3, sizes={(300, 400): 2, (90, 90): 1}), (48, 64)) or ""
    )
    for kept in (
        SourceInfo({}, (100, 350), 3, sizes={(100, 350): 9}),  # not twice as high
        SourceInfo({}, None, 3),
        SourceInfo({}, (256, 256), 3, rendered=True),
    ):
        assert resize_note(kept, (64, 64)) is None


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ({"train": 20000, "test": 2000}, ("train[:-2000]", "train[-2000:]", "test")),
        ({"train": 60000, "test": 10000}, ("train[:-5000]", "train[-5000:]", "test")),  # at most 5,000
        ({"train": 50000, "validation": 10000, "test": 10000}, ("train", "validation", "test")),
        ({"train": 9}, ("train", None, None)),
        ({"all": 100}, ("all[:-10]", "all[-10:]", None)),
    ],
)
def test_validation_split_is_the_sources_or_the_end_of_the_training_split(sizes, expected):
    splits = splits_of(SourceInfo(sizes, None, 3))
    assert (splits["train"], splits["validation"], splits["test"]) == expected


def test_two_domains_are_split_by_percentages():
    source = SourceInfo({"train": 60000, "test": 10000}, None, 1, smaller={"train": 7291, "test": 2007})
    assert splits_of(source) == {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}
    few = SourceInfo({"train": 60000}, None, 1, smaller={"train": 9})
    assert splits_of(few) == {"train": "train", "validation": None, "test": None}


@pytest.mark.parametrize(
    "training, validation, expected",
    [("train[:-4]", "train[-4:]", "train"), ("train", "validation", "train"), ("a[:90%]+b", "a[90%:]", "a[:90%]+b")],
)
def test_without_validation_its_images_are_in_the_training_split(training, validation, expected):
    splits = {"train": training, "validation": validation, "test": None}
    assert without_validation(splits) == {"train": expected, "validation": None, "test": None}
