"""A layer that blurs images with the binomial filter [1, 2, 1]."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class Blur2D(keras.layers.Layer):
    """Blurs images [batch, height, width, channels] with [1, 2, 1] / 4 in each axis; the shape stays the same.

    The filter removes the highest frequency of each axis, which is that of a checkerboard, and keeps constants. Images
    are padded by reflection. The filter is computed as two averages of 2x2 pixels, since an average has the same range
    as its inputs: an int8 file rounds it only once.

    Raises:
        ValueError: For images with a side of one pixel.

    Example:
        >>> Blur2D()(np.array([0.0, 0.0, 4.0, 0.0, 0.0]).reshape(1, 1, 5, 1).repeat(2, 1))[0, 0, :, 0].numpy()
        array([0., 1., 2., 1., 0.], dtype=float32)

    Reference:
        Zhang 2019, Making Convolutional Networks Shift-Invariant Again, arXiv:1904.11486. Karras, Laine, Aila 2019,
        StyleGAN, arXiv:1812.04948, section 2 (the filter after each upsampling).
    """

    def build(self, input_shape: Any):
        if any(length is not None and length < 2 for length in input_shape[1:3]):
            raise ValueError(
                f"Expected images with sides of 2 or more pixels, to pad by reflection; received {input_shape[1:3]}"
            )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        padded = keras.ops.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        return tf.nn.avg_pool2d(tf.nn.avg_pool2d(padded, 2, 1, "VALID"), 2, 1, "VALID")

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)
