"""A layer that rearranges channels into pixels."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class DepthToSpace(keras.layers.Layer):
    """Features [batch, height, width, size^2 * channels] -> [batch, size * height, size * width, channels].

    The pixel (i, j) of each block of size x size pixels has the channels (i * size + j) * channels and following.

    Args:
        size: Pixels of a block in each axis, >= 2.
        **kwargs: name and dtype.

    Raises:
        ValueError: For a size that is not an integer >= 2, or a number of channels that is no multiple of its square.

    Example:
        >>> DepthToSpace(2)(np.arange(4.0).reshape(1, 1, 1, 4))[0, :, :, 0].numpy()
        array([[0., 1.],
               [2., 3.]], dtype=float32)

    Reference:
        Shi, Caballero, Huszar, Totz, Aitken, Bishop, Rueckert, Wang 2016, Real-Time Single Image and Video
        Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network, arXiv:1609.05158, eq. 4.
    """

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 2:
            raise ValueError(f"Expected size as an integer >= 2; received {size!r}")
        self.size = size

    def build(self, input_shape: Any):
        if input_shape[-1] % self.size**2:
            raise ValueError(f"Expected channels in a multiple of {self.size**2}; received {input_shape[-1]}")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(inputs, self.size)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        sides = (None if length is None else self.size * length for length in (height, width))
        return (batch, *sides, channels // self.size**2)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size}
