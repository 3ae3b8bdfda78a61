"""Attributes concatenated to the channels of every pixel."""

import keras
import numpy as np

from keras_gen.layers import AttributePlanes


def test_every_pixel_has_its_channels_and_the_attributes_of_its_image():
    images = np.random.default_rng(0).random((2, 3, 4, 3), np.float32)
    attributes = np.array([[1, 0], [0.25, 0.5]], np.float32)
    outputs = AttributePlanes()([images, attributes]).numpy()
    assert outputs.shape == AttributePlanes().compute_output_shape([images.shape, attributes.shape]) == (2, 3, 4, 5)
    np.testing.assert_array_equal(outputs[..., :3], images)
    np.testing.assert_array_equal(outputs[..., 3:], np.broadcast_to(attributes[:, None, None], (2, 3, 4, 2)))


def test_accepts_images_of_any_size_and_is_saved(tmp_path):
    image, attributes = keras.Input((None, None, 1)), keras.Input((2,))
    model = keras.Model([image, attributes], AttributePlanes()([image, attributes]))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded([np.zeros((1, 3, 5, 1)), np.ones((1, 2))]).shape == (1, 3, 5, 3)
