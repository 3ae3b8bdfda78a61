"""A layer that pads images by reflection."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class ReflectionPadding2D(keras.layers.Layer):
    """Images [batch, height, width, channels] -> [batch, height + 2 * size, width + 2 * size, channels].

    The padding mirrors the image without repeating its outermost rows and columns, so that a generator sees no dark
    frame.

    Args:
        size: pixels on each side, >= 0 and smaller than the image.
        **kwargs: name and dtype.

    Raises:
        ValueError: for a size that is not an integer >= 0.

    Example:
        >>> ReflectionPadding2D(1)(np.arange(9.0).reshape(1, 3, 3, 1))[0, 0, :, 0].numpy()
        array([4., 3., 4., 5., 4.], dtype=float32)
    """

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"Expected size as an integer >= 0; received {size!r}")
        self.size = size

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        padding = (self.size, self.size)
        return keras.ops.pad(inputs, ((0, 0), padding, padding, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        padded = (None if length is None else length + 2 * self.size for length in (height, width))
        return (batch, *padded, channels)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size}
