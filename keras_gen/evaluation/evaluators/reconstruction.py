"""How close reconstructions come to their images: PSNR and SSIM."""

import numpy as np
import tensorflow as tf

from keras_gen import pictures

from ..context import EvaluationContext

# of a reconstruction that is equal: 100 dB, in place of infinity
SMALLEST_ERROR = 1e-10


def psnr(images: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
    """Peak signal-to-noise ratio -10 log10(mean squared error), for values in [0, 1].

    Args:
        images, reconstructions: [batch, height, width, channels] in [0, 1].

    Returns:
        float32 [batch], dB, at most 100 (a mean squared error of 1e-10 or less).
    """
    error = tf.reduce_mean(tf.square(images - reconstructions), axis=[1, 2, 3])
    return -10.0 * tf.math.log(tf.maximum(error, SMALLEST_ERROR)) / tf.math.log(10.0)


def ssim_filter_size(height: int, width: int) -> int:
    """The window of SSIM: the paper's 11, or for smaller images the largest odd size that fits."""
    smallest = min(height, width)
    return min(11, smallest if smallest % 2 else smallest - 1)


def reconstruction(context: EvaluationContext) -> tuple[dict, dict]:
    """`psnr` and `ssim` between images as the model sees them and what it makes of their codes, mean over images.

    `..._baseline` is what the mean of these images has in place of every reconstruction: no code is needed for it.

    Reference:
        Wang, Bovik, Sheikh, Simoncelli 2004, Image quality assessment: from error visibility to structural similarity,
        IEEE Transactions on Image Processing 13(4), eq. 13 (Gaussian window, sigma 1.5, K1 = .01, K2 = .03).
    """
    batch = context.batch(context.max_images)
    size = ssim_filter_size(*batch["image"].shape[1:3])

    mean = tf.constant(batch["image"].mean(axis=0, keepdims=True))

    def compare(image, label):
        made = tf.clip_by_value(context.model.reconstruct(image, label), 0.0, 1.0)
        return tf.concat([quality(image, made, size), quality(image, tf.zeros_like(image) + mean, size)], axis=1)

    values = context.map(compare, batch, what="reconstructing images").astype(np.float64).mean(axis=0)
    binarize = context.run.config["data"].get("binarize")
    what = f"images binarized ({binarize}), as the model sees them, against" if binarize else "images against"
    common = {"images": len(batch["image"]), "note": f"{what} the decoder's means"}
    window = f"window {size}" + ("" if size == 11 else ": the usual 11 does not fit into the image")
    about = {
        "psnr": {"unit": "dB", **common},
        "ssim": {"unit": "-1 to 1", **common, "note": f"{common['note']}; {window}"},
    }
    baseline = {"note": "the mean of these images for every one of them"}
    about |= {f"{name}_baseline": {**about[name], **baseline} for name in ("psnr", "ssim")}
    return dict(zip(("psnr", "ssim", "psnr_baseline", "ssim_baseline"), values.tolist(), strict=True)), about


def quality(images: tf.Tensor, made: tf.Tensor, window: int) -> tf.Tensor:
    """PSNR and SSIM of pairs of images [batch, height, width, channels] in [0, 1]: float32 [batch, 2]."""
    return tf.stack([psnr(images, made), tf.image.ssim(images, made, 1.0, filter_size=window)], axis=1)


def reconstructions(context: EvaluationContext) -> np.ndarray:
    """32 images, each beside its reconstruction, as a picture."""
    batch = context.batch(32)
    return pictures.pairs(batch["image"], context.map(context.model.reconstruct, batch), columns=4, scale=context.zoom)
