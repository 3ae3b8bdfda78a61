import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.pipeline.binarize import binarize
from keras_gen.data.pipeline.counter_rng import mix, seed_word


def random_keys(purpose):
    return mix(seed_word(0, purpose), tf.range(4000))


def test_dynamic_draws_each_pixel_with_its_value_as_probability():
    values = np.float32([0, 1 / 255, 0.25, 0.5, 0.9, 1]).reshape(1, 2, 3, 1)
    out = binarize(tf.constant(np.repeat(values, 4000, 0)), "dynamic", random_keys).numpy()
    assert set(np.unique(out)) == {0.0, 1.0}
    error = np.sqrt(values[0] * (1 - values[0]) / 4000)
    assert (abs(out.mean(0) - values[0]) <= 5 * error).all()  # 0 and 1 are exact
    assert abs(np.corrcoef(out[:, 0, 2, 0], out[:, 1, 0, 0])[0, 1]) < 5 / np.sqrt(4000)


def test_threshold():
    image = tf.constant(np.float32([0, 0.4999, 0.5, 1]).reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(binarize(image, "threshold", random_keys).numpy().ravel(), [0, 0, 1, 1])
    assert binarize(image, None, random_keys) is image


def test_unknown_mode():
    with pytest.raises(ValueError, match="Expected binarize as one of None, 'dynamic', .*; received 'static'"):
        binarize(tf.zeros((1, 2, 2, 1)), "static", random_keys)
