"""Positions of patches are parsed, checked, extracted and framed."""

import numpy as np
import pytest
import tensorflow as tf

from demos.panels.drawings import NAMES, draw
from demos.panels.patch_positions import (
    cut_patches,
    format_positions,
    framed,
    key_positions,
    limits,
    nearest_inside,
    read_positions,
)
from demos.panels.tile_puzzle import count_correct, join_tiles, split_tiles
from keras_gen.models.puzzlegan.key_patches import extract_patches, key_boxes

IMAGE = np.random.default_rng(0).random((10, 14, 3)).astype(np.float32)
SIZE = (4, 5)


def test_positions_survive_formatting_and_parsing():
    positions = [(2, 3), (8, 11), (5, 7)]
    assert read_positions(format_positions(positions), (10, 14), SIZE, 3) == positions
    assert read_positions(" 2,3 ;; 8 , 11;", (10, 14), SIZE, 3) == [(2, 3), (8, 11)]


def test_limits_are_the_positions_of_patches_inside_the_image():
    low, high = limits((10, 14), SIZE)
    for row in range(-1, 12):
        for column in range(-1, 16):
            top, left = row - 2, column - 2
            inside = top >= 0 and left >= 0 and top + 4 <= 10 and left + 5 <= 14
            assert inside == (low[0] <= row <= high[0] and low[1] <= column <= high[1])
            near = nearest_inside((row, column), (10, 14), SIZE)
            assert (near == (row, column)) == inside
            assert cut_patches(IMAGE, [near], SIZE).shape == (1, 4, 5, 3)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "There is no patch yet: click on the image"),
        (" ; ", "There is no patch yet"),
        (None, "There is no patch yet"),
        (
            "2, 3; 1, 7",
            "Patch 2 would lie outside.*rows 2 to 8 and columns 2 to 11; received row 1, column 7",
        ),
        ("-5, 3", "Patch 1 would lie outside the image.*received row -5, column 3"),
        ("99999, 3", "would lie outside"),
        ("2, 3; 4", "Expected row, column of the center of patch 2, such as 12, 20; received '4'"),
        ("2.5, 3", "Expected row, column of the center of patch 1, .*received '2.5, 3'"),
        ("2, 3; 2, 3; 2, 3; 2, 3", "Expected at most 3 patches; received 4: remove some"),
        ("9" * 10_000, "Expected row, column"),
    ],
)
def test_invalid_positions_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_positions(text, (10, 14), SIZE, 3)


def test_key_positions_match_training():
    """The boxes of `key_boxes`, and their patches."""
    positions = key_positions(IMAGE, 3, SIZE)
    boxes = key_boxes(tf.constant(IMAGE[None]), 3, SIZE)
    corners = np.rint(boxes.numpy()[0] * [10, 14, 10, 14])
    np.testing.assert_array_equal([(row - 2, column - 2) for row, column in positions], corners[:, :2])
    patches = extract_patches(tf.constant(IMAGE[None]), boxes, SIZE)[0]
    np.testing.assert_allclose(cut_patches(IMAGE, positions, SIZE), patches, atol=1e-5)


def test_a_frame_changes_only_the_border_of_its_patch():
    picture = framed(IMAGE, [(5, 7)], SIZE)  # rows 3 to 6, columns 5 to 9
    changed = (picture != IMAGE).any(2)
    assert changed.sum() == 2 * 5 + 2 * 2
    assert changed[3, 5:10].all() and changed[6, 5:10].all() and not changed[4:6, 6:9].any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(12, 12, 1), (10, 14, 3)])
def test_drawings_have_the_requested_shape(name, shape):
    picture = draw(name, shape, seed=3)
    assert picture.shape == shape and picture.dtype == np.float32
    assert picture.min() < 0.8 and picture.max() == 1
    with pytest.raises(ValueError, match="Expected one of face, star, house; received 'cat'"):
        draw("cat", shape)


def test_tiles_and_the_number_of_correct_tiles():
    image = IMAGE[:9, :12]
    tiles = split_tiles(image, 3)
    np.testing.assert_array_equal(tiles[5], image[3:6, 8:12])
    np.testing.assert_array_equal(join_tiles(tiles, 3), image)
    assert count_correct(tiles, tiles, np.arange(9)) == "9 of 9 tiles are in their positions: solved"
    assert count_correct(tiles[:4], tiles, np.array([0, 1, 3, 2])) == "2 of 4 tiles are in their positions"
    tiles[2] = tiles[3]  # alike: they may take each other's positions
    assert count_correct(tiles[:4], tiles, np.array([0, 1, 3, 2])) == "4 of 4 tiles are in their positions: solved"
