import keras
import numpy as np
import pytest

from keras_gen.models.core.host import host_value
from tests.replicas import two_replicas


def test_value_of_a_variable_of_two_replicas():
    with two_replicas().scope():
        steps, weights = keras.Variable(7, dtype="int64"), keras.Variable([[1.5, -2.0]])
    with pytest.raises((TypeError, AttributeError)):
        int(steps)  # the reason for the function
    assert host_value(steps) == 7 and host_value(steps).dtype == np.int64
    np.testing.assert_array_equal(host_value(weights), [[1.5, -2.0]])


def test_value_of_a_variable_of_one_device():
    assert host_value(keras.Variable(0.25)) == 0.25
