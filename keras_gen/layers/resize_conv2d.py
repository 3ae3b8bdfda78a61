"""Nearest-neighbor upsampling and a convolution, computed as one transposed convolution."""

from typing import Any

import keras
import tensorflow as tf

from .derived_kernel import DerivedKernel


@keras.saving.register_keras_serializable("keras_gen")
class ResizeConv2D(DerivedKernel, keras.layers.Conv2D):
    """Equals `UpSampling2D(2)` and `Conv2D(filters, kernel_size, padding="same")`, with fewer products.

    Upsampling is a transposed convolution of stride 2 with a kernel of 2x2 ones. Its composition with the convolution
    is a transposed convolution of stride 2 whose kernel is one pixel larger: the sum of four copies of the
    convolution's kernel, each shifted by 0 or 1 pixel in each axis. With 3x3, an output pixel then needs 4 products for
    each input channel instead of 9, and the enlarged features are not stored.

    The weights are those of the `Conv2D`. Images are [batch, height, width, channels], and the result is
    [batch, 2 * height, 2 * width, filters].

    Args:
        filters: Output channels, >= 1.
        kernel_size: Height and width of the kernel, an odd integer >= 1.
        **kwargs: use_bias, activation, initializers, regularizers, constraints, name and dtype of
            `keras.layers.Conv2D`.

    Raises:
        ValueError: For a kernel_size that is not an odd integer.

    Reference:
        Odena, Dumoulin, Olah 2016, Deconvolution and Checkerboard Artifacts, doi:10.23915/distill.00003 (resize, then
        convolve).
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs: Any):
        if not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"Expected kernel_size as an odd integer >= 1; received {kernel_size!r}")
        super().__init__(filters, kernel_size, padding="same", **kwargs)

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        """Returns the kernel of the transposed convolution, [kernel_size + 1, kernel_size + 1, filters, channels].

        Args:
            kernel: The stored kernel, [kernel_size, kernel_size, channels, filters].
        """
        # no operation has a larger result than its operands: TFLite's converter computes only such ones in advance, and
        # int8 needs a constant kernel
        kernel = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
        kernel = tf.concat([kernel[:1], kernel[:-1] + kernel[1:], kernel[-1:]], axis=0)
        return tf.concat([kernel[:, :1], kernel[:, :-1] + kernel[:, 1:], kernel[:, -1:]], axis=1)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        outputs = keras.ops.conv_transpose(inputs, self.kernel, strides=2, padding="same")
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        sides = (None if length is None else 2 * length for length in (height, width))
        return (batch, *sides, self.filters)

    def get_config(self) -> dict:
        config = super().get_config()
        for fixed in ("strides", "padding", "dilation_rate", "groups", "data_format"):
            del config[fixed]
        return {**config, "kernel_size": self.kernel_size[0]}
