import numpy as np
import pytest
from PIL import Image

from keras_gen.data.resize import Resize
from keras_gen.runtime.resize import convert_channels

RNG = np.random.default_rng(0)


def disc(height, width, radius):
    """Returns a white disc at the center of a black image."""
    y, x = np.mgrid[:height, :width]
    inside = (y - (height - 1) / 2) ** 2 + (x - (width - 1) / 2) ** 2 <= radius**2
    return (inside[..., None] * np.uint8([255, 255, 255])).astype(np.uint8)


def test_an_image_of_the_target_shape_is_returned_unchanged():
    image = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    assert Resize((20, 30, 3))(image) is image


@pytest.mark.parametrize("crop", ["center", "pad"])
@pytest.mark.parametrize("size", [(60, 120), (120, 60), (35, 47)])
def test_a_disc_stays_round(crop, size):
    out = Resize((40, 40, 3), crop=crop, background=(0, 0, 0))(disc(*size, 15))[..., 0] / 255.0
    height, width = out.sum(0).max(), out.sum(1).max()  # the longest column and row, in white pixels
    scale = (min if crop == "center" else max)(size[0] / 40, size[1] / 40)
    assert abs(height - width) < 0.5
    assert abs(out.sum() / (np.pi * (15 / scale) ** 2) - 1) < 0.06  # few pixels: the edge matters in a disc this small


def test_center_crops_the_middle():
    image = np.zeros((10, 30, 1), np.uint8)
    image[:, 10:20] = 200
    np.testing.assert_array_equal(Resize((10, 10, 1))(image), 200)


def test_pad_fills_with_the_background():
    out = Resize((10, 20, 3), crop="pad", background=(10, 20, 30))(np.full((10, 10, 3), 200, np.uint8))
    assert (out[:, 5:15] == 200).all()
    assert (out[:, :5] == (10, 20, 30)).all() and (out[:, 15:] == (10, 20, 30)).all()


@pytest.mark.parametrize("alpha, expected", [(0, 255), (255, 100), (128, 177), (1, 254), (254, 101)])
def test_transparency_on_white_is_exact(alpha, expected):
    # (100 * alpha + 255 * (255 - alpha)) / 255, rounded: 177.2, 254.4, 100.6
    image = np.uint8([[[100, 100, 100, alpha]]])
    np.testing.assert_array_equal(convert_channels(image, 3, (255, 255, 255)), [[[expected] * 3]])
    np.testing.assert_array_equal(convert_channels(image[..., [0, 3]], 3, (255, 255, 255)), [[[expected] * 3]])


def test_transparency_on_a_chosen_background():
    image = np.uint8([[[200, 0, 0, 51]]])
    np.testing.assert_array_equal(convert_channels(image, 3, (0, 100, 250)), [[[40, 80, 200]]])
    converted = convert_channels(image.astype(np.float32) / 255, 3, (0, 100, 250))
    np.testing.assert_allclose(converted * 255, [[[40, 80, 200]]], atol=1e-4)


def test_color_of_transparent_pixels_does_not_bleed_in():
    image = np.zeros((8, 8, 4), np.uint8)
    image[..., 0] = 255  # red, but fully transparent
    np.testing.assert_array_equal(Resize((4, 4, 3))(image), 255)


def test_luminance_equals_that_of_pillow():
    image = RNG.integers(0, 256, (64, 64, 3), np.uint8)
    expected = np.asarray(Image.fromarray(image).convert("L"))[..., None]
    np.testing.assert_array_equal(convert_channels(image, 1, (0, 0, 0)), expected)
    converted = convert_channels(image.astype(np.float32) / 255, 1, (0, 0, 0))
    np.testing.assert_allclose(converted * 255, expected, atol=0.51)


def test_gray_to_color_repeats_the_channel_and_alpha_is_kept():
    gray = RNG.integers(0, 256, (5, 5, 1), np.uint8)
    np.testing.assert_array_equal(convert_channels(gray, 3, (0, 0, 0)), np.repeat(gray, 3, -1))
    assert Resize((3, 3, 4))(RNG.integers(0, 256, (5, 5, 4), np.uint8)).shape == (3, 3, 4)
    assert Resize((3, 3, 4), crop="pad")(RNG.integers(0, 256, (9, 3, 4), np.uint8))[0, 0, 3] == 0


def test_floats_keep_their_precision_and_range():
    image = RNG.random((30, 30, 3), np.float32)
    out = Resize((10, 10, 3))(image)
    assert out.dtype == np.float32 and 0 <= out.min() and out.max() <= 1
    eight_bit = Resize((10, 10, 3))(np.rint(image * 255).astype(np.uint8)) / 255
    np.testing.assert_allclose(out, eight_bit, atol=1.1 / 255)


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255  # finer than the pixels of the small image, which are gray on average
    out = Resize((16, 16, 1))(stripes)
    assert abs(out[:, 2:-2].astype(int) - 127).max() <= 2


@pytest.mark.parametrize(
    "channels, target, message",
    [
        (5, 3, "3 channels; received 5.*or ask for 3 channels"),
        (3, 4, "4 channels; received 3.*or ask for 3 channels"),
        (1, 4, "received 1"),
    ],
)
def test_channels_that_cannot_be_converted(channels, target, message):
    with pytest.raises(ValueError, match=message):
        Resize((4, 4, target))(np.zeros((8, 8, channels), np.uint8))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"image_shape": (28, 28)}, "height, width, channels"),
        ({"image_shape": (28, 28, 2)}, "with 1 .gray., 3 .color. or 4 .* received 2"),
        ({"image_shape": (0, 28, 1)}, "positive"),
        ({"image_shape": (28.5, 28, 1)}, "positive integers"),
        ({"image_shape": (28, 28, 1), "crop": "stretch"}, "'center', 'pad'; received 'stretch'"),
        ({"image_shape": (28, 28, 1), "background": (0, 0, 256)}, "0 to 255"),
        ({"image_shape": (28, 28, 1), "background": (0.5, 0.5, 0.5)}, "integers"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Resize(**arguments)
