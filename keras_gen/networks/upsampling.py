"""The ways in which generators and decoders double the size of their features."""

from typing import Any

import keras
from keras import layers

from keras_gen.layers import (
    ICNR,
    Blur2D,
    DepthToSpace,
    EqualizedConv2D,
    EqualizedConv2DTranspose,
    EqualizedResizeConv2D,
    ResizeConv2D,
)

UPSAMPLINGS = ("transposed", "resize", "blur", "subpixel")


def upsample(
    x: keras.KerasTensor,
    filters: int,
    *,
    upsampling: str,
    kernel: int = 4,
    equalized: bool = False,
    activation: str | None = None,
    dtype: str | None = None,
    **options: Any,
) -> keras.KerasTensor:
    """Returns a Keras tensor [batch, 2 * height, 2 * width, filters] for `x`, [batch, height, width, channels].

    - `"transposed"`: a transposed convolution of stride 2. Neighboring pixels have different weights, which draws
      checkerboards until training balances them.
    - `"resize"`: nearest-neighbor upsampling, then a convolution.
    - `"blur"`: a transposed convolution of stride 2, then a blur with [1, 2, 1] / 4 in each axis.
    - `"subpixel"`: a convolution to four times the channels, which are rearranged into 2x2 pixels. The four pixels
      start with the same weights, as a convolution that is followed by nearest-neighbor upsampling.

    Args:
        x: The features.
        filters: Output channels, >= 1.
        upsampling: One of `UPSAMPLINGS`.
        kernel: Size of a transposed convolution's kernel, >= 2. The other convolutions have the next smaller size that
            is odd, or `kernel` itself if it is odd: 3 for 4, which with `"resize"` reads and writes the same pixels.
        equalized: Whether the layers have equalized learning rates, see `keras_gen.layers.EqualizedConv2D`.
        activation: Name of a Keras activation, or None.
        dtype: Dtype or policy of the layers; None is Keras's default.
        **options: Further arguments of the convolution: use_bias, kernel_initializer and, if equalized, gain.

    Raises:
        ValueError: For an unknown upsampling.

    Reference:
        Odena, Dumoulin, Olah 2016, Deconvolution and Checkerboard Artifacts, doi:10.23915/distill.00003.
        Zhang 2019, Making Convolutional Networks Shift-Invariant Again, arXiv:1904.11486, and Karras, Laine, Aila 2019,
        StyleGAN, arXiv:1812.04948 ("blur").
        Shi et al. 2016, arXiv:1609.05158, and Aitken et al. 2017, arXiv:1707.02937 ("subpixel", its weights).
    """
    if upsampling not in UPSAMPLINGS:
        raise ValueError(f"Expected upsampling as one of {', '.join(UPSAMPLINGS)}; received {upsampling!r}")
    options |= {"dtype": dtype}
    odd_kernel = (kernel - 1) | 1
    if upsampling == "resize":
        resize = EqualizedResizeConv2D if equalized else ResizeConv2D
        return resize(filters, odd_kernel, activation=activation, **options)(x)
    if upsampling == "subpixel":
        convolution = EqualizedConv2D if equalized else layers.Conv2D
        weights = options.pop("kernel_initializer", None)
        if weights is None:
            weights = keras.initializers.RandomNormal(stddev=1.0) if equalized else "glorot_uniform"
        up = convolution(4 * filters, odd_kernel, padding="same", kernel_initializer=ICNR(weights, size=2),
                         activation=activation, **options)  # fmt: skip
        return DepthToSpace(2, dtype=dtype)(up(x))
    transposed = EqualizedConv2DTranspose if equalized else layers.Conv2DTranspose
    if upsampling == "transposed":
        return transposed(filters, kernel, strides=2, padding="same", activation=activation, **options)(x)
    x = Blur2D(dtype=dtype)(transposed(filters, kernel, strides=2, padding="same", **options)(x))
    return layers.Activation(activation, dtype=dtype)(x) if activation else x
