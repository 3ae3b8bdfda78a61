import numpy as np
import pytest
from PIL import Image

from keras_gen import pictures


def ramp(num, height=4, width=3, channels=3):
    """Returns images, image i constant at i / 255."""
    return np.broadcast_to(np.arange(num).reshape(-1, 1, 1, 1) / 255, (num, height, width, channels)).astype("float32")


def test_grid_is_in_reading_order():
    picture = pictures.grid(ramp(5), columns=2, pad=1)
    assert picture.shape == (3 * 5 + 1, 2 * 4 + 1, 3) and picture.dtype == np.uint8
    for index in range(5):
        top, left = 1 + (index // 2) * 5, 1 + (index % 2) * 4
        assert (picture[top : top + 4, left : left + 3] == index).all()
    assert (picture[0] == 255).all() and (picture[:, 0] == 255).all() and (picture[11:, 5:] == 255).all()


def test_grid_is_about_square_and_takes_gray_images_without_a_channel_axis():
    assert pictures.grid(np.zeros((10, 8, 8)), pad=0).shape == (3 * 8, 4 * 8, 1)


def test_scale_repeats_pixels():
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    assert pictures.grid(image, pad=0, scale=2)[..., 0].tolist() == [
        [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 5, 5], [3, 3, 4, 4, 5, 5],
    ]  # fmt: skip
    with pytest.raises(ValueError, match="Expected an integer scale >= 1; received 0"):
        pictures.grid(image, scale=0)


def test_labels_are_written_above_the_images():
    images = ramp(2, height=20, width=40, channels=1)
    picture = pictures.strip(images, pad=2, labels=["one", "two"])
    bare = pictures.strip(images, pad=2)
    head = picture.shape[0] - bare.shape[0]
    assert (picture[head:] == bare).all()
    for left in (2, 44):
        assert picture[:head, left : left + 40].min() < 100  # text
    with pytest.raises(ValueError, match="one label for each of 2 images; received 1"):
        pictures.grid(images, labels=["one"])


def test_float_levels_are_rounded_and_clipped():
    values = np.array([-0.5, 0.0, 0.499 / 255, 0.501 / 255, 1.0, 7.0])
    assert pictures.to_uint8(values).tolist() == [0, 0, 0, 1, 255, 255]
    levels = np.arange(256, dtype=np.uint8)
    assert (pictures.to_uint8(levels / np.float32(255)) == levels).all()


def test_arrays_that_are_not_images_are_refused():
    with pytest.raises(ValueError, match="received NaN"):
        pictures.grid(np.full((1, 4, 4, 1), np.nan))
    with pytest.raises(ValueError, match=r"received the shape \(2, 4, 4, 2\)"):
        pictures.grid(np.zeros((2, 4, 4, 2)))
    with pytest.raises(ValueError, match="received int64"):
        pictures.grid(np.zeros((2, 4, 4, 3), np.int64))
    with pytest.raises(ValueError, match="at least one panel"):
        pictures.hstack({})


def test_transparency_is_shown_on_white():
    image = np.zeros((1, 1, 2, 4), np.uint8)
    image[0, 0, 1, 3] = 255
    assert pictures.grid(image, pad=0).tolist() == [[[255, 255, 255], [0, 0, 0]]]


def test_hstack_puts_panels_side_by_side_under_their_titles():
    left, right = np.full((30, 60, 1), 7, np.uint8), np.full((20, 50, 3), 9, np.uint8)
    picture = pictures.hstack({"left": left, "right": right}, pad=4)
    assert picture.shape[2] == 3 and picture.shape[1] == 4 + 60 + 4 + 50 + 4
    top = picture.shape[0] - 4 - 30
    assert (picture[top : top + 30, 4:64] == 7).all() and (picture[top : top + 20, 68:118] == 9).all()
    assert picture[4 : top - 1, 4:64].min() < 100


def test_pairs_are_next_to_each_other():
    first, second = ramp(2), 1 - ramp(2)
    assert (pictures.pairs(first, second, columns=1, pad=0)[:, :3] == pictures.grid(first, columns=1, pad=0)).all()
    assert (pictures.pairs(first, second, columns=1, pad=0)[:, 3:] == pictures.grid(second, columns=1, pad=0)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_png_files_have_the_same_pixels(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, channels), dtype=np.uint8)
    path = pictures.save(tmp_path / "new" / "a.png", picture)
    assert (np.asarray(Image.open(path)).reshape(picture.shape) == picture).all()


def test_images_are_saved_as_a_grid(tmp_path):
    images = ramp(4)
    saved = np.asarray(Image.open(pictures.save(tmp_path / "grid.png", images)))
    assert (saved == pictures.grid(images)).all()


def test_vstack_puts_panels_below_each_other_under_their_titles():
    first, second = np.zeros((6, 30, 3), np.uint8), np.full((4, 8, 1), 100, np.uint8)
    picture = pictures.vstack({"one": first, "a longer title": second}, pad=2)
    rows = [pictures.hstack({title: panel}, pad=2) for title, panel in (("one", first), ("a longer title", second))]
    assert picture.shape == (sum(len(row) for row in rows), max(row.shape[1] for row in rows), 3)
    np.testing.assert_array_equal(picture[: len(rows[0]), : rows[0].shape[1]], rows[0])
    np.testing.assert_array_equal(picture[len(rows[0]) :, : rows[1].shape[1]], rows[1])
    with pytest.raises(ValueError, match="at least one panel"):
        pictures.vstack({})
