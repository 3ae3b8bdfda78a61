"""Grids and PNG files."""

import numpy as np
import pytest
from PIL import Image

from keras_gen.runtime import Runtime
from keras_gen.runtime.pictures import grid, write_png
from tests.export.conftest import SIZE

from .device import command_line


def test_grid_as_png(device):
    command_line(device, "generate", "--num", 5, "--seed", 1, "--label", 2, "--out", "grid.png")
    with Image.open(device / "grid.png") as picture:
        pixels = np.asarray(picture)
    images = Runtime(device).generate(5, 1, label=2)
    np.testing.assert_array_equal(pixels, grid(images)[:, :, 0])
    assert pixels.shape == (2 * (SIZE + 2) + 2, 3 * (SIZE + 2) + 2)  # 5 images in 3 columns
    np.testing.assert_array_equal(pixels[2 : 2 + SIZE, 2 : 2 + SIZE], np.round(images[0, :, :, 0] * 255))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_read_back_bit_for_bit(tmp_path, channels):
    picture = np.random.default_rng(channels).integers(0, 256, (7, 5, channels), np.uint8)
    write_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read).reshape(picture.shape), picture)


def test_header_leaves_room_above_each_image():
    picture = grid(np.zeros((2, 3, 3, 1)), columns=2, pad=1, header=4)
    expected = np.full((9, 9, 1), 255, np.uint8)
    expected[5:8, 1:4] = expected[5:8, 5:8] = 0
    np.testing.assert_array_equal(picture, expected)


def test_a_png_with_an_invalid_number_of_channels_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Expected 1, 3 or 4 channels for a PNG; received 2: write the images as .npy"):
        write_png(tmp_path / "a.png", np.zeros((2, 2, 2), np.uint8))
