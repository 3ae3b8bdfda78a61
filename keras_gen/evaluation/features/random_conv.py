"""The default distance between two sets of images: by a fixed random network, so that it is always a number."""

import functools

import numpy as np
import tensorflow as tf

from ..metrics.frechet_distance import moments, normal_frechet_distance

LEVELS, FILTERS, GRID = 4, 16, 2
CHUNK = 256
SEED = 20180730
# a feature that real images hardly vary in counts by this share of the median standard deviation, so that a few images
# that agree in it by chance do not decide; and one of flat images by an absolute number, features being of order 1
SMALLEST_SHARE, SMALLEST_SPREAD = 0.1, 1e-3
IDENTITY = f"random convolutions, {LEVELS} levels of {FILTERS}, seed {SEED}, standardized by the real images"
HOW_TO_READ = (
    "compares samples with real images by a fixed random network: 0 is the same set, the floor is what other real "
    "images get, and the nearer to the floor, the better. Compare it between runs on the same data, with as many "
    "images; it is not the FID, and has other values than any published one"
)


def random_conv_features(images: np.ndarray) -> np.ndarray:
    """Features of images of any size by a random network that is always the same: nothing is trained or downloaded.

    Four levels of 16 convolutions of 3x3 pixels with ReLU, each level on the means of 2x2 values of the one before;
    the mean over the image of each of them, and the mean color of each quarter of the image. The first kernels have
    the sum 0: they see edges and texture, and the quarters see brightness and color.

    Args:
        images: float32 [num, height, width, channels] in [0, 1].

    Returns:
        float32 [num, 64 + 4 * channels].
    """
    kernels = _kernels(images.shape[-1])
    parts = (images[start : start + CHUNK] for start in range(0, len(images), CHUNK))
    return np.concatenate([_features(tf.constant(part, tf.float32), kernels).numpy() for part in parts])


def random_conv_distance(samples: np.ndarray, real: np.ndarray) -> float:
    """The Frechet distance of `random_conv_features`, per feature, in variances of the real images.

    Every feature is divided by its standard deviation over the real images (a tenth of the features' median at least),
    and the squared distance by the number of features. It is finite for any size of images and any number of them from
    2 on. A distance to few images is large, like its floor.

    Args:
        samples, real: float32 [num, height, width, channels] in [0, 1], 2 or more each.

    Returns:
        The distance, >= 0; 0 for equal sets.

    Raises:
        ValueError: for fewer than 2 images.

    Reference:
        Naeem, Oh, Uh, Choi, Yoo 2020, arXiv:2002.09797, section 3.3 (features of random networks).
    """
    if min(len(samples), len(real)) < 2:
        raise ValueError(
            f"A distance between sets needs 2 or more images in each; received {len(samples)}, {len(real)}"
        )
    ours, theirs = random_conv_features(samples), random_conv_features(real)
    spread = theirs.std(axis=0, dtype=np.float64)
    spread = np.maximum(spread, max(SMALLEST_SHARE * np.median(spread), SMALLEST_SPREAD))
    return normal_frechet_distance(*moments(ours / spread), *moments(theirs / spread)) / len(spread)


@functools.cache
def _kernels(channels: int) -> list[np.ndarray]:
    generator = np.random.Generator(np.random.Philox(key=SEED))
    kernels, inputs = [], channels
    for level in range(LEVELS):
        kernel = generator.standard_normal((3, 3, inputs, FILTERS))
        if level == 0:
            kernel -= kernel.mean(axis=(0, 1))
        # He's variance, exactly: the scale of the features is the same at every level
        kernels.append((kernel * np.sqrt(2.0 / np.square(kernel).sum(axis=(0, 1, 2)))).astype(np.float32))
        inputs = FILTERS
    return kernels


def _features(images: tf.Tensor, kernels: list[np.ndarray]) -> tf.Tensor:
    values = images = 2.0 * images - 1.0
    found = []
    for level, kernel in enumerate(kernels):
        if level:
            values = tf.nn.avg_pool2d(values, 2, 2, "SAME")
        bordered = tf.pad(values, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        values = tf.nn.relu(tf.nn.conv2d(bordered, kernel, 1, "VALID"))
        found.append(tf.reduce_mean(values, axis=(1, 2)))
    quarters = tf.image.resize(images, (GRID, GRID), method="area")
    return tf.concat([*found, tf.reshape(quarters, (len(images), -1))], axis=1)
