"""Displayed images: enlarged by an integer factor, or scaled down if they would be too wide."""

import numpy as np

from demos.panels.image_components import display_image, image_grid


def test_small_images_are_enlarged_with_sharp_pixels():
    image = np.random.default_rng(0).random((28, 28, 1), np.float32)
    displayed = display_image(image)
    assert displayed.shape == (308, 308, 3) and displayed.dtype == np.uint8  # 11 is the largest factor for 320
    expected = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_array_equal(displayed, np.broadcast_to(np.kron(expected, np.ones((11, 11, 1))), displayed.shape))


def test_large_images_do_not_change():
    image = np.random.default_rng(0).random((400, 300, 3), np.float32)
    np.testing.assert_array_equal(display_image(image), np.rint(image * 255).astype(np.uint8))


def test_grid_has_the_images_in_reading_order():
    images = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1) / 5 * np.ones((6, 4, 4, 1), np.float32)
    displayed = image_grid(images, columns=3, pad=0)
    assert displayed.shape == (2 * 4 * 63, 3 * 4 * 63, 3)  # enlarged by 760 // 12 = 63
    corners = displayed[2::252, 2::252, 0]
    np.testing.assert_array_equal(corners, [[0, 51, 102], [153, 204, 255]])


def test_grid_of_one_image_has_the_size_of_the_image():
    assert image_grid(np.zeros((1, 28, 28, 1), np.float32), pad=0).shape == (308, 308, 3)


def test_grid_of_large_images_is_scaled_down_by_averaging():
    images = np.zeros((36, 256, 256, 3), np.float32)
    images[:, ::2] = 1.0
    displayed = image_grid(images, pad=0)
    assert displayed.shape == (760, 760, 3)
    assert abs(displayed.mean() - 127.5) < 1  # rounding to 8 bits
