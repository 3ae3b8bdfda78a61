"""DiffAugment: exact translation and cutout, the paper's color operations on its range, and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import noise_size
from keras_gen.losses.diff_augment import diff_augment

RANDOM = np.random.default_rng(0)
NAMES = ("color", "translation", "cutout")


def random_images(batch=2, size=16, channels=3) -> np.ndarray:
    return RANDOM.random((batch, size, size, channels), np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_of_one_half_is_the_identity(channels):
    images = random_images(channels=channels)
    np.testing.assert_allclose(diff_augment(images, "color", np.full((2, 3), 0.5)), images, atol=1e-6)
    np.testing.assert_array_equal(diff_augment(images, "translation", np.full((2, 2), 0.5)), images)
    assert np.array_equal(diff_augment(images, (), np.zeros((2, 0))), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_color_equals_the_paper_on_its_range(channels):
    images, noise = random_images(5, 4, channels), RANDOM.random((5, 3), np.float32)
    brightness, saturation, contrast = (noise[:, i, None, None, None] for i in range(3))
    x = 2 * images - 1
    x = x + (brightness - 0.5)  # +- 0.5
    gray = x.mean(3, keepdims=True)
    x = gray + 2 * saturation * (x - gray)
    mean = x.mean((1, 2, 3), keepdims=True)
    x = mean + (contrast + 0.5) * (x - mean)
    np.testing.assert_allclose(diff_augment(images, "color", noise), (x + 1) / 2, atol=1e-6)


def test_color_by_hand():
    images = np.array([[[[0.2, 0.4, 0.6], [0.8, 0.8, 0.8]]]], np.float32)
    dark = diff_augment(images, "color", [[0.0, 0.5, 0.5]])
    np.testing.assert_allclose(dark, images - 0.25, atol=1e-6)  # and not clipped: -0.05
    gray = diff_augment(images, "color", [[0.5, 0.0, 0.5]])
    np.testing.assert_allclose(gray[0, 0], [[0.4] * 3, [0.8] * 3], atol=1e-6)
    flat = diff_augment(images, "color", [[0.5, 0.5, 0.0]])
    np.testing.assert_allclose(flat, 0.6 + 0.5 * (images - 0.6), atol=1e-6)


def shifted_image(image: np.ndarray, down: int, right: int) -> np.ndarray:
    height, width = image.shape[:2]
    result = np.full_like(image, 0.5)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[row, column] = image[row - down, column - right]
    return result


def test_translation_is_exact():
    # 16 pixels: -2, ..., 2, each with probability 1/5
    uniform = np.array([0.0, 0.19, 0.21, 0.5, 0.61, 0.81, 1 - 2**-24], np.float32)
    steps = np.array([-2, -2, -1, 0, 1, 2, 2])
    noise = np.stack([uniform, uniform[::-1]], axis=1)
    images = random_images(len(steps))
    after = diff_augment(images, "translation", noise)
    for i, (down, right) in enumerate(zip(steps, steps[::-1], strict=True)):
        np.testing.assert_array_equal(after[i], shifted_image(images[i], down, right))


def test_translation_of_small_and_oblong_images():
    images = np.arange(3 * 28, dtype=np.float32).reshape(1, 3, 28, 1)
    after = diff_augment(images, "translation", [[0.99, 0.99]])  # an eighth, rounded: 0 and 4 pixels
    np.testing.assert_array_equal(after[0], shifted_image(images[0], 0, 4))


def test_only_the_chosen_images_get_each_augmentation():
    images, noise = random_images(4), RANDOM.random((4, noise_size(NAMES)), np.float32)
    applied = np.array([[True, True, True], [False, False, False], [True, False, False], [False, False, True]])
    after = diff_augment(images, NAMES, noise, tf.constant(applied))
    everything = diff_augment(images, NAMES, noise)
    np.testing.assert_array_equal(after[0], everything[0])
    np.testing.assert_array_equal(after[1], images[1])
    np.testing.assert_array_equal(after[2], diff_augment(images, "color", noise[:, :3])[2])
    np.testing.assert_array_equal(after[3], diff_augment(images, "cutout", noise[:, 5:])[3])
    with pytest.raises(ValueError, match=r"Expected applied \[batch, 3\] for color, translation, cutout; received"):
        diff_augment(images, NAMES, noise, tf.constant(applied[:, :2]))


@pytest.mark.parametrize("size, length", [(8, 4), (7, 4), (6, 3), (5, 3)])
def test_cutout_area(size, length):
    images = np.zeros((1, size, size, 1), np.float32)
    count = size + 1 - length % 2  # positions along an axis
    sizes = []
    for position in range(count):
        uniform = (position + 0.5) / count
        hole = diff_augment(images, "cutout", [[0.5, uniform]])[0, :, :, 0].numpy()
        assert set(np.unique(hole)) == {0.0, 0.5}
        rows, columns = hole.max(1) > 0, hole.max(0) > 0
        assert np.array_equal(hole > 0, rows[:, None] & columns[None]) and rows.sum() == length
        sizes.append(int(columns.sum()))
    assert max(sizes) == length and sizes == sizes[::-1] and min(sizes) >= length // 2
    corner = diff_augment(images, "cutout", [[0.0, 1 - 2**-24]])[0, :, :, 0].numpy()
    assert corner[0, -1] == 0.5 and corner[-1, 0] == 0 and (corner > 0).sum() == sizes[0] ** 2


def test_gradients_flow():
    images = tf.constant(random_images(1, 8))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        cut = tf.reduce_sum(diff_augment(images, "cutout", [[0.5, 0.5]]))
        shifted = tf.reduce_sum(diff_augment(images, "translation", [[0.99, 0.5]]))  # one pixel down
        colored = tf.reduce_sum(diff_augment(2 * images, "color", [[0.9, 0.3, 0.8]]))
    hole, ones = np.ones((8, 8, 3)), np.ones((8, 8, 3))
    hole[2:6, 2:6] = 0
    np.testing.assert_array_equal(tape.gradient(cut, images)[0], hole)
    ones[-1] = 0  # the row that was shifted out
    np.testing.assert_array_equal(tape.gradient(shifted, images)[0], ones)
    # 2 everywhere, also beyond [0, 1]: scaling around a mean keeps the sum
    np.testing.assert_allclose(tape.gradient(colored, images)[0], np.full((8, 8, 3), 2.0), atol=1e-5)


def test_augmentations_use_columns_of_noise_in_order():
    images, noise = random_images(3, 8), RANDOM.random((3, 7), np.float32)
    assert noise_size(NAMES) == 7 and noise_size("cutout") == 2 and noise_size(()) == 0
    expected = images
    for name, columns in (("cutout", [0, 1]), ("color", [2, 3, 4]), ("translation", [5, 6])):
        expected = diff_augment(expected, (name,), noise[:, columns])
    np.testing.assert_array_equal(diff_augment(images, ("cutout", "color", "translation"), noise), expected)


def test_unknown_batch_and_bfloat16():
    compiled = tf.function(
        lambda x, noise: diff_augment(x, NAMES, noise),
        input_signature=[tf.TensorSpec([None, 8, 8, 1], tf.bfloat16), tf.TensorSpec([None, 7])],
    )
    images, noise = tf.cast(random_images(3, 8, 1), tf.bfloat16), RANDOM.random((3, 7), np.float32)
    after = compiled(images, noise)
    assert after.dtype == tf.float32
    np.testing.assert_allclose(after, diff_augment(images, NAMES, noise), atol=1e-6)


def test_errors():
    images = random_images(2, 8)
    with pytest.raises(ValueError, match="Expected augmentations from color, translation, cutout; received 'flip'"):
        noise_size(("color", "flip"))
    with pytest.raises(ValueError, match="Expected augmentations from"):
        diff_augment(images, "flip", np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"noise \[batch, 5\] for color, cutout; received \(2, 3\)"):
        diff_augment(images, ("color", "cutout"), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="Expected noise"):
        diff_augment(images, "color", np.zeros((1, 3)))
    with pytest.raises(ValueError, match="Expected images"):
        diff_augment(images[0], "color", np.zeros((2, 3)))
