"""The initializer of sub-pixel convolutions."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class ICNR(keras.initializers.Initializer):
    """An initializer of the convolution before `DepthToSpace(size)`, which then starts without a checkerboard.

    All pixels of a block have the same initial weights. The two layers therefore start as a convolution that is
    followed by nearest-neighbor upsampling.

    Args:
        initializer: Initializer, or its name, of the weights of one pixel, with the fans of that convolution.
        size: Pixels of a block in each axis, >= 2.

    Example:
        >>> kernel = np.asarray(ICNR("he_normal", size=2)((3, 3, 8, 4 * 5)))
        >>> bool(np.all(kernel[..., :5] == kernel[..., 5:10]))
        True

    Reference:
        Aitken, Ledig, Theis, Caballero, Wang, Shi 2017, Checkerboard artifact free sub-pixel convolution,
        arXiv:1707.02937, section 3.
    """

    def __init__(self, initializer: Any, size: int):
        self.initializer = keras.initializers.get(initializer)
        self.size = size

    def __call__(self, shape: Any, dtype: Any = None) -> tf.Tensor:
        """Returns a kernel [height, width, input channels, size^2 * channels].

        Args:
            shape: Its shape.
            dtype: Its dtype; None is float32.

        Raises:
            ValueError: For a number of output channels that is no multiple of size^2.
        """
        pixels = self.size**2
        if shape[-1] % pixels:
            raise ValueError(f"Expected output channels in a multiple of {pixels}; received the shape {tuple(shape)}")
        kernel = self.initializer((*shape[:-1], shape[-1] // pixels), dtype=dtype)
        return keras.ops.tile(kernel, (1, 1, 1, pixels))

    def get_config(self) -> dict:
        return {"initializer": keras.initializers.serialize(self.initializer), "size": self.size}
