import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.binarize import binarize
from keras_gen.data.noise import mix, seed_word


def keys(purpose):
    return mix(seed_word(0, purpose), tf.range(4000))


def test_dynamic_draws_each_pixel_with_its_value_as_probability():
    values = np.float32([0, 1 / 255, 0.25, 0.5, 0.9, 1]).reshape(1, 2, 3, 1)
    out = binarize(tf.constant(np.repeat(values, 4000, 0)), "dynamic", keys).numpy()
    assert set(np.unique(out)) == {0.0, 1.0}
    error = np.sqrt(values[0] * (1 - values[0]) / 4000)
    assert (abs(out.mean(0) - values[0]) <= 5 * error).all()  # 0 and 1 are exact
    assert abs(np.corrcoef(out[:, 0, 2, 0], out[:, 1, 0, 0])[0, 1]) < 5 / np.sqrt(4000)


def test_threshold():
    image = tf.constant(np.float32([0, 0.4999, 0.5, 1]).reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(binarize(image, "threshold", keys).numpy().ravel(), [0, 0, 1, 1])
    assert binarize(image, None, keys) is image


def test_unknown_way():
    with pytest.raises(ValueError, match="'static' is unknown; known: None, 'dynamic', 'threshold'"):
        binarize(tf.zeros((1, 2, 2, 1)), "static", keys)
