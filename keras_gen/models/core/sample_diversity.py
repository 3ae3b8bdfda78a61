"""How much images of a batch vary."""

import tensorflow as tf

from .global_batch import GlobalBatch


def pixel_variance(images: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """The variance of every pixel over the global batch: [rows, height, ...] -> [height, width, channels]."""
    mean = global_batch.mean(images)
    return global_batch.mean(tf.square(images - mean))


def sample_diversity(generated: tf.Tensor, real: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """The deviation of generated images from their mean, over that of real ones: scalar, 0 where all are alike."""
    ours, theirs = (tf.reduce_mean(pixel_variance(images, global_batch)) for images in (generated, real))
    return tf.sqrt(ours / tf.maximum(theirs, 1e-12))
