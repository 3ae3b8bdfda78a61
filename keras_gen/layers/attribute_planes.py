"""A layer that concatenates a vector of attributes to the channels of every pixel."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class AttributePlanes(keras.layers.Layer):
    """[images [batch, height, width, c], attributes [batch, n]] -> [batch, height, width, c + n].

    The attributes follow the channels of every pixel and are the same at all pixels of an image.

    Example:
        >>> AttributePlanes()([np.zeros((1, 2, 2, 3)), np.ones((1, 4))]).shape
        TensorShape([1, 2, 2, 7])
    """

    def call(self, inputs: list) -> tf.Tensor:
        image, attributes = inputs
        height, width = keras.ops.shape(image)[1:3]
        planes = keras.ops.expand_dims(attributes, (1, 2))
        planes = keras.ops.tile(planes, (1, height, width, 1))
        return keras.ops.concatenate([image, keras.ops.cast(planes, image.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        image, attributes = input_shape
        return (*image[:-1], image[-1] + attributes[-1])
