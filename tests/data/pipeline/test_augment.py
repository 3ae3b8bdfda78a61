import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.pipeline.augment import AUGMENTATIONS, augment
from keras_gen.data.pipeline.counter_rng import mix, seed_word

IMAGE = tf.constant(np.random.default_rng(0).random((400, 16, 12, 3), np.float32))


def keys_of(index, epoch=0):
    return lambda purpose: mix(seed_word(0, purpose), epoch, tf.constant(index, tf.int64))


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_augmentation_depends_only_on_the_key(name, channels):
    image = tf.concat([IMAGE, IMAGE[..., :1]], -1)[:40, ..., :channels]
    index = np.arange(40)
    full = augment(image, [name], keys_of(index)).numpy()
    assert full.shape == image.shape and full.min() >= 0 and full.max() <= 1
    indices = [31, 4, 17]
    part = augment(tf.gather(image, indices), [name], keys_of(index[indices])).numpy()
    np.testing.assert_array_equal(part, full[indices])
    assert not np.array_equal(augment(image, [name], keys_of(index, epoch=1)).numpy(), full)


def test_flip_mirrors_half_of_the_images():
    out = augment(IMAGE, ["flip"], keys_of(np.arange(400))).numpy()
    same = (out == IMAGE.numpy()).all((1, 2, 3))
    mirrored = (out == IMAGE.numpy()[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert abs(mirrored.mean() - 0.5) < 0.1  # four standard deviations of 400 coin flips


def test_shift_moves_whole_pixels_by_at_most_an_eighth():
    y, x = np.mgrid[:16, :16].astype(np.float32) / 16
    image = np.repeat(np.stack([y, x, x], -1)[None], 300, 0)
    out = augment(tf.constant(image), ["shift"], keys_of(np.arange(300))).numpy()
    moved = np.rint((out[:, 8, 8, :2] - image[:, 8, 8, :2]) * 16).astype(int)
    assert set(map(tuple, moved)) == {(a, b) for a in range(-2, 3) for b in range(-2, 3)}
    for k in range(20):
        rows = np.clip(np.arange(16) + moved[k, 0], 0, 15)
        columns = np.clip(np.arange(16) + moved[k, 1], 0, 15)
        np.testing.assert_array_equal(out[k], image[k][rows][:, columns])


def test_crop_side_is_uniform_between_0_8_and_1():
    y, x = np.mgrid[:33, :33].astype(np.float32) / 32  # the corners tell the size of the window
    image = np.repeat(np.stack([y, x, x], -1)[None], 300, 0)
    out = augment(tf.constant(image), ["crop"], keys_of(np.arange(300))).numpy()
    height = out[:, -1, 0, 0] - out[:, 0, 0, 0]
    width = out[:, 0, -1, 1] - out[:, 0, 0, 1]
    np.testing.assert_allclose(height, width, atol=1e-5)
    assert height.min() >= 0.8 - 1e-5 and height.max() <= 1 + 1e-5
    assert abs(height.mean() - 0.9) < 6 * (0.2 / np.sqrt(12)) / np.sqrt(300)
    assert out.min() >= 0 and out.max() <= 1


def test_color_preserves_alpha_and_keeps_gray_images_gray():
    gray = tf.concat([tf.repeat(IMAGE[..., :1], 3, -1), IMAGE[..., 1:2]], -1)
    out = augment(gray, ["color"], keys_of(np.arange(400))).numpy()
    np.testing.assert_array_equal(out[..., 3], gray[..., 3])
    np.testing.assert_allclose(out[..., 0], out[..., 1], atol=1e-5)
    change = out[..., 0].mean((1, 2)) - gray.numpy()[..., 0].mean((1, 2))
    assert 0.02 < change.std() < 0.08 and abs(change).max() < 0.12  # uniform in +-0.1: 0.058


def test_augmentations_apply_in_order_and_unknown_names_raise():
    first = augment(IMAGE, ("flip", "shift"), keys_of(np.arange(400))).numpy()
    second = augment(augment(IMAGE, ["flip"], keys_of(np.arange(400))), ["shift"], keys_of(np.arange(400))).numpy()
    np.testing.assert_array_equal(first, second)
    with pytest.raises(ValueError, match="Expected augment as names among flip, crop, shift, color; received 'rotate'"):
        augment(IMAGE, ["rotate"], keys_of(np.arange(400)))
