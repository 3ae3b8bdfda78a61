"""Images are enlarged by whole numbers, and scaled down only if they would be too wide."""

import numpy as np

from demos.panels.image_components import display_image, image_grid


def test_a_small_image_is_enlarged_with_sharp_pixels():
    image = np.random.default_rng(0).random((28, 28, 1), np.float32)
    shown = display_image(image)
    assert shown.shape == (308, 308, 3) and shown.dtype == np.uint8  # 11 times, the largest that is at most 320
    expected = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_array_equal(shown, np.broadcast_to(np.kron(expected, np.ones((11, 11, 1))), shown.shape))


def test_a_large_image_does_not_change():
    image = np.random.default_rng(0).random((400, 300, 3), np.float32)
    np.testing.assert_array_equal(display_image(image), np.rint(image * 255).astype(np.uint8))


def test_a_grid_has_the_images_in_reading_order():
    images = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1) / 5 * np.ones((6, 4, 4, 1), np.float32)
    shown = image_grid(images, columns=3, pad=0)
    assert shown.shape == (2 * 4 * 63, 3 * 4 * 63, 3)  # 760 // 12 = 63 times
    corners = shown[2::252, 2::252, 0]
    np.testing.assert_array_equal(corners, [[0, 51, 102], [153, 204, 255]])


def test_a_grid_of_one_image_is_not_larger_than_the_image():
    assert image_grid(np.zeros((1, 28, 28, 1), np.float32), pad=0).shape == (308, 308, 3)


def test_a_grid_of_large_images_is_scaled_down_to_its_mean():
    images = np.zeros((36, 256, 256, 3), np.float32)
    images[:, ::2] = 1.0
    shown = image_grid(images, pad=0)
    assert shown.shape == (760, 760, 3)
    assert abs(shown.mean() - 127.5) < 1  # rounding to 8 bits
