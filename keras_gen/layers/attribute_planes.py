"""A vector beside the channels of every pixel."""

import keras


@keras.saving.register_keras_serializable("keras_gen")
class AttributePlanes(keras.layers.Layer):
    """[images [batch, height, width, c], attributes [batch, n]] -> [batch, height, width, c + n].

    The channels of every pixel are followed by the attributes, which are the same at all of them.

    Example:
        >>> AttributePlanes()([np.zeros((1, 2, 2, 3)), np.ones((1, 4))]).shape
        TensorShape([1, 2, 2, 7])
    """

    def call(self, inputs):
        image, attributes = inputs
        height, width = keras.ops.shape(image)[1:3]
        planes = keras.ops.expand_dims(attributes, (1, 2))
        planes = keras.ops.tile(planes, (1, height, width, 1))
        return keras.ops.concatenate([image, keras.ops.cast(planes, image.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        image, attributes = input_shape
        return (*image[:-1], image[-1] + attributes[-1])
