"""PSNR and SSIM between images and their reconstructions."""

import functools

import numpy as np
import tensorflow as tf

from keras_gen import pictures
from keras_gen.batching import map_batches

from ..context import EvaluationContext
from ..types import About, Metrics

# caps the PSNR of an exact reconstruction at 100 dB
MIN_SQUARED_ERROR = 1e-10


def psnr(images: tf.Tensor | np.ndarray, reconstructions: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Returns the peak signal-to-noise ratio -10 log10(mean squared error) of images in [0, 1].

    Args:
        images: [batch, height, width, channels] in [0, 1].
        reconstructions: the same shape.

    Returns:
        float32 [batch], dB, at most 100 (a mean squared error of 1e-10 or less).
    """
    error = tf.reduce_mean(tf.square(images - reconstructions), axis=[1, 2, 3])
    return -10.0 * tf.math.log(tf.maximum(error, MIN_SQUARED_ERROR)) / tf.math.log(10.0)


def ssim_filter_size(height: int, width: int) -> int:
    """Returns the window of SSIM: the paper's 11, or for smaller images the largest odd size that fits."""
    smaller = min(height, width)
    return min(11, smaller if smaller % 2 else smaller - 1)


def psnr_and_ssim(images: tf.Tensor, reconstructions: tf.Tensor, window: int) -> tf.Tensor:
    """Returns PSNR and SSIM of pairs of images.

    Args:
        images: [batch, height, width, channels] in [0, 1].
        reconstructions: the same shape.
        window: SSIM's window, from `ssim_filter_size`.

    Returns:
        float32 [batch, 2]: dB, and -1 to 1.
    """
    ssim = tf.image.ssim(images, reconstructions, 1.0, filter_size=window)
    return tf.stack([psnr(images, reconstructions), ssim], axis=1)


def reconstruction(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `psnr` and `ssim` between the images of the data and their reconstructions, mean over images.

    A model of binary pixels encodes binarized images, and its decoder's means are compared with the images before
    binarization: against the noise of binarized pixels, even a perfect decoder would have a low PSNR.
    `..._baseline` is the value of the mean image as every reconstruction, which needs no code.

    Reference:
        Wang, Bovik, Sheikh, Simoncelli 2004, Image quality assessment: from error visibility to structural similarity,
        IEEE Transactions on Image Processing 13(4), eq. 13 (Gaussian window, sigma 1.5, K1 = .01, K2 = .03).
    """
    images, reconstructed = images_and_reconstructions(context, context.max_images)
    size = ssim_filter_size(*images.shape[1:3])
    mean = images.mean(axis=0, keepdims=True)

    @tf.function(reduce_retracing=True)
    def compare(image: tf.Tensor, reconstruction: tf.Tensor) -> tf.Tensor:
        baseline = psnr_and_ssim(image, tf.zeros_like(image) + mean, size)
        return tf.concat([psnr_and_ssim(image, tf.clip_by_value(reconstruction, 0.0, 1.0), size), baseline], axis=1)

    values = map_batches(
        lambda rows: compare(tf.constant(images[rows]), tf.constant(reconstructed[rows])),
        len(images),
        context.batch_size,
        functools.partial(context.progress, "comparing reconstructions"),
    )
    binarize = context.run.config["data"].get("binarize")
    inputs = f"images, which the model sees binarized ({binarize})," if binarize else "images"
    common = {"images": len(images), "note": f"{inputs} against the decoder's means"}
    window = f"window {size}" + ("" if size == 11 else ": the usual 11 does not fit into the image")
    about: About = {
        "psnr": {"unit": "dB", **common},
        "ssim": {"unit": "-1 to 1", **common, "note": f"{common['note']}; {window}"},
    }
    for name in ("psnr", "ssim"):
        about[f"{name}_baseline"] = {**about[name], "note": "the mean image as every reconstruction"}
    means = values.astype(np.float64).mean(axis=0).tolist()
    return dict(zip(("psnr", "ssim", "psnr_baseline", "ssim_baseline"), means, strict=True)), about


def images_and_reconstructions(context: EvaluationContext, num: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns up to `num` images before binarization, and their reconstructions by the model, each [num, ...]."""
    images = context.batch(num, binarize=None)["image"]
    reconstructed = context.map(context.model.reconstruct, context.batch(num), activity="reconstructing images")
    return images, reconstructed


def reconstruction_picture(context: EvaluationContext) -> np.ndarray:
    """Draws 32 images, each next to its reconstruction: uint8 [height, width, channels]."""
    return pictures.pairs(*images_and_reconstructions(context, 32), columns=4, scale=context.zoom)
