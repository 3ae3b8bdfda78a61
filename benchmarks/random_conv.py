"""The default distance between two sets of images, by the features of a fixed random network."""

import functools

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.evaluation.metrics.frechet_distance import moments, normal_frechet_distance
from keras_gen.evaluation.seeding import seeded_generator

LEVELS, FILTERS, GRID = 4, 16, 2
IMAGES_PER_PASS = 256
SEED = 20180730
# lower bounds of the standard deviation by which a feature is divided: a fraction of the median over features, so that
# a feature in which a few real images agree by chance does not dominate; and an absolute value for constant images
# (features are of order 1)
MIN_RELATIVE_STD, MIN_STD = 0.1, 1e-3


def random_conv_features(images: np.ndarray) -> np.ndarray:
    """Returns features of images of any size from a fixed random network, without training or download.

    The network has four levels of 16 convolutions of 3x3 pixels with ReLU, with 2x2 average pooling between levels. The
    features are the spatial means of each convolution, and the mean color of each quarter of the image. The first
    kernels sum to 0, so that they measure edges and texture; the quarters measure brightness and color.

    Args:
        images: float32 [num, height, width, channels] in [0, 1].

    Returns:
        float32 [num, 64 + 4 * channels].
    """
    kernels = _kernels(images.shape[-1])
    return map_batches(
        lambda rows: _features(tf.constant(images[rows], tf.float32), kernels), len(images), IMAGES_PER_PASS
    )


def random_conv_distance(samples: np.ndarray, real: np.ndarray) -> float:
    """Returns the Frechet distance of `random_conv_features`, per feature, in variances of the real images.

    Every feature is divided by its standard deviation over the real images (at least a tenth of the median over
    features), and the squared distance by the number of features. It is finite for images of any size and any number
    of images >= 2. A distance to few images is large, as is its floor.

    Args:
        samples: float32 [num, height, width, channels] in [0, 1], num >= 2.
        real: float32 [other num, height, width, channels] in [0, 1], other num >= 2.

    Returns:
        the distance, >= 0; 0 for equal sets.

    Raises:
        ValueError: for fewer than 2 images.

    Reference:
        Naeem, Oh, Uh, Choi, Yoo 2020, arXiv:2002.09797, section 3.3 (features of random networks).
    """
    if min(len(samples), len(real)) < 2:
        raise ValueError(
            f"Expected 2 or more images in each set for a distance; received {len(samples)} and {len(real)}"
        )
    sample_features, real_features = random_conv_features(samples), random_conv_features(real)
    std = real_features.std(axis=0, dtype=np.float64)
    std = np.maximum(std, max(MIN_RELATIVE_STD * np.median(std), MIN_STD))
    return normal_frechet_distance(*moments(sample_features / std), *moments(real_features / std)) / len(std)


@functools.cache
def _kernels(channels: int) -> list[np.ndarray]:
    generator = seeded_generator(SEED)
    kernels, inputs = [], channels
    for level in range(LEVELS):
        kernel = generator.standard_normal((3, 3, inputs, FILTERS))
        if level == 0:
            kernel -= kernel.mean(axis=(0, 1))
        # He's variance, exactly, so that features have the same scale at every level
        kernels.append((kernel * np.sqrt(2.0 / np.square(kernel).sum(axis=(0, 1, 2)))).astype(np.float32))
        inputs = FILTERS
    return kernels


def _features(images: tf.Tensor, kernels: list[np.ndarray]) -> tf.Tensor:
    values = images = 2.0 * images - 1.0
    means = []
    for level, kernel in enumerate(kernels):
        if level:
            values = tf.nn.avg_pool2d(values, 2, 2, "SAME")
        padded = tf.pad(values, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        values = tf.nn.relu(tf.nn.conv2d(padded, kernel, 1, "VALID"))
        means.append(tf.reduce_mean(values, axis=(1, 2)))
    quarters = tf.image.resize(images, (GRID, GRID), method="area")
    return tf.concat([*means, tf.reshape(quarters, (len(images), -1))], axis=1)
