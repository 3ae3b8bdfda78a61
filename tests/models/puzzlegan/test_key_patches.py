"""Key patches: selection of boxes, their pixels, and their mask."""

import numpy as np
import tensorflow as tf

from keras_gen.models.puzzlegan.key_patches import box_mask, extract_patches, gradient_energy, key_boxes

IMAGES = np.random.default_rng(0).random((2, 8, 12, 3)).astype(np.float32)
PIXELS = np.float32([8, 12, 8, 12])


def test_gradient_energy_by_hand():
    image = np.float32([[0, 1], [3, 3]])[None, ..., None]
    # vertical differences 9 and 4, horizontal 1 and 0; the last row and column have none
    np.testing.assert_allclose(gradient_energy(tf.constant(image))[0, ..., 0], [[9 + 1, 4], [0, 0]])


def test_boxes_are_sorted_by_gradient_energy():
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 2:4, 2:4], image[0, 11:13, 10:12] = 0.9, 1.0
    boxes = key_boxes(tf.constant(image), 2, (4, 4)).numpy()[0] * 16
    assert (boxes[:, 2:] - boxes[:, :2] == 4).all()
    # a box contains the edges of a dot: from one pixel above and left to one below and right
    for (top, left, bottom, right), (y, x) in zip(boxes, [(11, 10), (2, 2)], strict=True):
        assert top <= y - 1 and left <= x - 1 and bottom >= y + 2 and right >= x + 2, boxes


def test_boxes_overlap_little_if_there_is_room():
    boxes = key_boxes(tf.constant(IMAGES), 3, (4, 4)).numpy() * PIXELS
    for first, second in ((0, 1), (0, 2), (1, 2)):
        low = np.maximum(boxes[:, first, :2], boxes[:, second, :2])
        sides = np.maximum(np.minimum(boxes[:, first, 2:], boxes[:, second, 2:]) - low, 0)
        common = sides.prod(1)
        assert (common / (32 - common) <= 0.25 + 1e-6).all()
    # there is no room for a second box, so the best one is repeated
    twice = key_boxes(tf.constant(IMAGES), 2, (7, 11)).numpy()
    np.testing.assert_array_equal(twice[:, 0], twice[:, 1])


def test_jitter_shifts_boxes_by_whole_pixels_inside_the_image():
    unshifted = key_boxes(tf.constant(IMAGES), 2, (4, 4)).numpy() * PIXELS
    shifted = key_boxes(tf.constant(IMAGES), 2, (4, 4), tf.fill([2, 2, 2], 1.4)).numpy() * PIXELS
    np.testing.assert_allclose(shifted[..., :2], np.minimum(unshifted[..., :2] + 1, [4, 8]), atol=1e-5)
    far = key_boxes(tf.constant(IMAGES), 2, (4, 4), tf.fill([2, 2, 2], 99.0)).numpy() * PIXELS
    np.testing.assert_allclose(far, np.broadcast_to([4, 8, 8, 12], far.shape), atol=1e-5)


def test_patches_at_integer_positions_are_exact():
    boxes = np.float32([[[1, 2, 5, 6], [4, 8, 8, 12]]] * 2) / PIXELS
    patches = extract_patches(tf.constant(IMAGES), tf.constant(boxes), (4, 4)).numpy()
    # positions are multiples of 1/12 times 12, so rounding shifts samples by about 1e-6 pixels
    np.testing.assert_allclose(patches[:, 0], IMAGES[:, 1:5, 2:6], atol=1e-5)
    np.testing.assert_allclose(patches[:, 1], IMAGES[:, 4:8, 8:12], atol=1e-5)


def test_patches_are_interpolated_between_pixels():
    ramp = np.arange(8, dtype=np.float32)[None, :, None, None] * np.ones((1, 1, 12, 1), np.float32)
    patch = extract_patches(tf.constant(ramp), tf.constant([[[0.0, 0.0, 1.0, 1.0]]]), (4, 4)).numpy()[0, 0, :, 0, 0]
    np.testing.assert_allclose(patch, [0.5, 2.5, 4.5, 6.5], atol=1e-5)  # the means of two pixels


def test_mask_covers_fractions_of_pixels_and_only_present_boxes():
    boxes = tf.constant([[[0.0, 0.0, 0.5, 0.375], [0.5, 0.5, 1.0, 1.0]]])
    mask = box_mask(boxes, tf.constant([[1.0, 0.0]]), (2, 4)).numpy()[0, ..., 0]
    np.testing.assert_allclose(mask, [[1, 0.5, 0, 0], [0, 0, 0, 0]], atol=1e-6)
    both = box_mask(boxes, tf.ones([1, 2]), (2, 4)).numpy()[0, ..., 0]
    np.testing.assert_allclose(both, [[1, 0.5, 0, 0], [0, 0, 1, 1]], atol=1e-6)
