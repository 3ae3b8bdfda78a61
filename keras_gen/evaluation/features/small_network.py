"""`small_v1`, the default features: a small convolutional network that is part of the package, and sharpness."""

import functools
import hashlib
import pathlib

import numpy as np
import tensorflow as tf

NAME, SIZE, NUM_FEATURES = "small_v1", 32, 64
FILE = pathlib.Path(__file__).with_name("small_v1.npz")
# of FILE, which `python -m benchmarks.feature_network` wrote on 2026-12-01
SHA256 = "11a7fb9b0c16684c62571883c208a4d621eaacad11b95b409702dabfaa186bef"
IDENTITY = f"{NAME}, {NUM_FEATURES} features, damage and sharpness of {SIZE}x{SIZE} images, sha256 {SHA256[:12]}"
HOW_TO_READ = (
    "is the Frechet distance between samples and real images in the features of a small network that is part of "
    "keras_gen, and in sharpness. Lower is better: the floor is the value of other real images. Compare it between "
    "runs on the same data with as many images; it is not the FID and not comparable to published values"
)
# sharpness: log-ratios of the energies of neighboring octaves, with a weight at which a blurred or noisy image is not a
# neighbor of real ones, and an energy below which octaves are flat
OCTAVES, SHARPNESS_WEIGHT, MIN_ENERGY = 4, 3.0, 1e-5
# step from one row to the next in each convolution, of 3x3 pixels
STRIDES = (1, 2, 2, 2, 1)

# kernels [3, 3, inputs, outputs] of the convolutions and the kernel [inputs, outputs] of the last layer, each with its
# bias [outputs]
Layers = list[tuple[np.ndarray, np.ndarray]]


def small_network_features(images: np.ndarray) -> np.ndarray:
    """Returns the features `small_v1` of any images, without labels or a download.

    64 features are those of a network that was trained on objects of `shapes`, digits of MNIST and Twemoji, all at
    32x32 pixels, to recognize their classes, to reproduce a thumbnail of 8x8 pixels, and to measure damage (blur,
    noise, mixtures of images). They are linear functions of its last convolution, with about the standard deviation 1
    over these images. Three more are degrees of damage, predicted by linear regression on the 64, times 10: the square
    roots of fractions of the largest blur (a standard deviation of 3 pixels), noise (1) and mixture (half of another
    image). The last three are the `sharpness` of the image. Images of another size are resized to 32x32, so that
    details of larger images do not count.

    Args:
        images: float32 [num, height, width, channels] in [0, 1]; gray images are repeated to three channels, and
            images with transparency are composited on white.

    Returns:
        float32 [num, 70].

    Raises:
        ValueError: for 2 or more than 4 channels, or a file of weights that differs from the published one.
    """
    prepared = prepare(tf.constant(images, tf.float32))
    return np.asarray(tf.concat([apply_network(prepared, load_layers()), sharpness(prepared)], axis=1))


def sharpness(images: tf.Tensor) -> tf.Tensor:
    """Returns 3 log(E_i / E_(i+1)) of the octaves i = 1, 2, 3, the finest first: [num, 3].

    E_i is the mean square of the i-th level of a Haar pyramid of the gray image (the difference to the means of 2x2
    pixels), plus 1e-5. A blur lowers the fine octaves and noise raises them, at any contrast.

    Args:
        images: [num, 32, 32, 3] in [0, 1].
    """
    values = tf.reduce_mean(images, axis=-1, keepdims=True)
    energies = []
    for _ in range(OCTAVES):
        means = tf.nn.avg_pool2d(values, 2, 2, "VALID")
        details = values - tf.repeat(tf.repeat(means, 2, axis=1), 2, axis=2)
        energies.append(tf.math.log(tf.reduce_mean(tf.square(details), axis=(1, 2, 3)) + MIN_ENERGY))
        values = means
    levels = tf.stack(energies, axis=1)
    return SHARPNESS_WEIGHT * (levels[:, :-1] - levels[:, 1:])


def prepare(images: tf.Tensor) -> tf.Tensor:
    """Returns images [num, 32, 32, 3] from images of any size with 1 (gray), 3 (color) or 4 (and alpha) channels."""
    channels = images.shape[-1]
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected images with 1, 3 or 4 channels for the features {NAME}; received {channels}")
    if channels == 4:
        images = images[..., :3] * images[..., 3:] + (1.0 - images[..., 3:])
    if images.shape[1:3] != (SIZE, SIZE):
        # antialiasing, so that a larger image has no aliases
        images = tf.image.resize(images, (SIZE, SIZE), antialias=True)
    return tf.repeat(images, 3, axis=-1) if channels == 1 else images


def apply_network(images: tf.Tensor, layers: Layers) -> tf.Tensor:
    """Returns the outputs of the last layer, [num, outputs], for images [num, 32, 32, 3] in [0, 1]."""
    values = 2.0 * images - 1.0
    *convolutions, (kernel, bias) = layers
    for (weights, shift), stride in zip(convolutions, STRIDES, strict=True):
        values = tf.nn.relu(tf.nn.conv2d(values, weights, stride, "SAME") + shift)
    return tf.reshape(values, (-1, len(kernel))) @ kernel + bias


@functools.cache
def load_layers() -> Layers:
    """Returns the layers of the package's file, after a check of its digest."""
    if (digest := hashlib.sha256(FILE.read_bytes()).hexdigest()) != SHA256:
        raise ValueError(f"Expected {FILE} with the sha256 {SHA256}; received {digest}. Install keras_gen again")
    return read_layers(FILE)


def read_layers(file: pathlib.Path) -> Layers:
    """Returns the layers of a file that `write_layers` wrote, in float32."""
    with np.load(file) as content:
        return [
            (content[f"kernel_{i}"].astype(np.float32) * content[f"scale_{i}"], content[f"bias_{i}"])
            for i in range(len(STRIDES) + 1)
        ]


def write_layers(file: pathlib.Path, layers: Layers) -> None:
    """Writes layers with kernels of 8 bits, symmetric and with one scale for each output channel."""
    content = {}
    for i, (kernel, bias) in enumerate(layers):
        scale = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1))) / 127
        scale = np.where(scale > 0, scale, 1).astype(np.float32)
        content |= {f"kernel_{i}": np.rint(kernel / scale).astype(np.int8), f"scale_{i}": scale}
        content[f"bias_{i}"] = bias.astype(np.float32)
    np.savez_compressed(file, **content)
