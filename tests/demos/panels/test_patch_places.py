"""Places of patches: read, refused outside the image, cut, found, framed."""

import numpy as np
import pytest
import tensorflow as tf

from demos.panels.drawn import NAMES, drawn
from demos.panels.patch_places import cut_patches, framed, key_places, limits, nearest_inside, read_places, written
from demos.panels.tile_puzzle import joined, tiles_of, verdict
from keras_gen.models.puzzlegan.key_patches import extract_patches, key_boxes

IMAGE = np.random.default_rng(0).random((10, 14, 3)).astype(np.float32)
SIZE = (4, 5)


def test_places_are_read_as_they_are_written():
    places = [(2, 3), (8, 11), (5, 7)]
    assert read_places(written(places), (10, 14), SIZE, 3) == places
    assert read_places(" 2,3 ;; 8 , 11;", (10, 14), SIZE, 3) == [(2, 3), (8, 11)]


def test_a_patch_lies_inside_exactly_within_the_limits():
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
        ("", "There is no patch yet: click on the picture"),
        (" ; ", "There is no patch yet"),
        (None, "There is no patch yet"),
        ("2, 3; 1, 7", "Patch 2 at row 1, column 7 would lie outside the image.*rows 2 to 8 and columns 2 to 11"),
        ("-5, 3", "Patch 1 at row -5, column 3 would lie outside the image"),
        ("99999, 3", "would lie outside"),
        ("2, 3; 4", "Patch 2 reads '4': expected row, column"),
        ("2.5, 3", "Patch 1 reads '2.5, 3': expected row, column"),
        ("2, 3; 2, 3; 2, 3; 2, 3", "There are 4 patches; the model takes at most 3: drop some"),
        ("9" * 10_000, "expected row, column"),
    ],
)
def test_texts_that_do_not_fit(text, message):
    with pytest.raises(ValueError, match=message):
        read_places(text, (10, 14), SIZE, 3)


def test_the_chosen_places_are_the_ones_that_the_model_was_trained_on():
    """The boxes of `key_boxes`, and their patches."""
    places = key_places(IMAGE, 3, SIZE)
    boxes = key_boxes(tf.constant(IMAGE[None]), 3, SIZE)
    corners = np.rint(boxes.numpy()[0] * [10, 14, 10, 14])
    np.testing.assert_array_equal([(row - 2, column - 2) for row, column in places], corners[:, :2])
    patches = extract_patches(tf.constant(IMAGE[None]), boxes, SIZE)[0]
    np.testing.assert_allclose(cut_patches(IMAGE, places, SIZE), patches, atol=1e-5)


def test_a_frame_touches_the_border_of_its_patch_alone():
    picture = framed(IMAGE, [(5, 7)], SIZE)  # rows 3 to 6, columns 5 to 9
    changed = (picture != IMAGE).any(2)
    assert changed.sum() == 2 * 5 + 2 * 2
    assert changed[3, 5:10].all() and changed[6, 5:10].all() and not changed[4:6, 6:9].any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(12, 12, 1), (10, 14, 3)])
def test_drawn_pictures(name, shape):
    picture = drawn(name, shape, seed=3)
    assert picture.shape == shape and picture.dtype == np.float32
    assert picture.min() < 0.8 and picture.max() == 1
    with pytest.raises(ValueError, match="Unknown picture 'cat': expected one of face"):
        drawn("cat", shape)


def test_tiles_and_the_verdict():
    image = IMAGE[:9, :12]
    tiles = tiles_of(image, 3)
    np.testing.assert_array_equal(tiles[5], image[3:6, 8:12])
    np.testing.assert_array_equal(joined(tiles, 3), image)
    assert verdict(tiles, tiles, np.arange(9)) == "9 of 9 tiles are at their places: solved"
    assert verdict(tiles[:4], tiles, np.array([0, 1, 3, 2])) == "2 of 4 tiles are at their places"
    tiles[2] = tiles[3]  # alike: they may take each other's places
    assert verdict(tiles[:4], tiles, np.array([0, 1, 3, 2])) == "4 of 4 tiles are at their places: solved"
