"""The diversity of generated images relative to real ones."""

import tensorflow as tf

from .global_batch import GlobalBatch


def pixel_variance(images: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """Returns the variance of every pixel over the global batch: [rows, height, ...] -> [height, width, channels]."""
    mean = global_batch.mean(images)
    return global_batch.mean(tf.square(images - mean))


def sample_diversity(generated: tf.Tensor, real: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """Returns the standard deviation of generated images over that of real images; a scalar, 0 if all are alike.

    Args:
        generated: Generated images, [rows, height, width, channels].
        real: Real images, of the same shape.
        global_batch: The batch of both; the standard deviations are of its pixels, root mean square.
    """
    variances = [tf.reduce_mean(pixel_variance(images, global_batch)) for images in (generated, real)]
    return tf.sqrt(variances[0] / tf.maximum(variances[1], 1e-12))
