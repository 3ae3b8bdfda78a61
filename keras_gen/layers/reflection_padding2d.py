"""Padding of images by their own mirror image."""

import keras


@keras.saving.register_keras_serializable("keras_gen")
class ReflectionPadding2D(keras.layers.Layer):
    """Images [batch, height, width, channels] -> [batch, height + 2 * size, width + 2 * size, channels].

    The border mirrors what lies inside, without repeating the outermost row: a generator then sees no dark frame.

    Args:
        size: pixels on each side, >= 0 and smaller than the image.

    Example:
        >>> ReflectionPadding2D(1)(np.arange(9.0).reshape(1, 3, 3, 1))[0, 0, :, 0].numpy()
        array([4., 3., 4., 5., 4.], dtype=float32)
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"size must be an integer >= 0; received {size!r}")
        self.size = size

    def call(self, inputs):
        sides = (self.size, self.size)
        return keras.ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (None if side is None else side + 2 * self.size for side in (height, width))
        return (batch, *sides, channels)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size}
