"""DiffAugment: differentiable augmentation of what the discriminator sees, real and generated alike."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import tensorflow as tf

# the paper pads and cuts with 0 on its range [-1, 1]
MIDDLE = 0.5


class Augmentation(NamedTuple):
    """One differentiable augmentation.

    Attributes:
        numbers: uniform random numbers that it takes for each image.
        apply: images [batch, h, w, c], numbers [batch, numbers] -> images.
    """

    numbers: int
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def diff_augment(images: tf.Tensor, names: Iterable[str], noise: tf.Tensor) -> tf.Tensor:
    """Apply differentiable augmentations in the order of their names.

    The discriminator never sees a plain image, and the generator learns through the augmentation, so generated images
    do not come out augmented. Real and generated images each get noise of their own. Values may leave [0, 1]: they are
    not clipped, so that every pixel keeps its gradient.

    Args:
        images: float [batch, height, width, channels] in [0, 1], the inner shape static.
        names: any of `"color"`, `"translation"`, `"cutout"`.
        noise: uniform on [0, 1), [batch, noise_size(names)]; the names take their columns in order.

    Returns:
        float32 [batch, height, width, channels].

    Raises:
        ValueError: for an unknown name, or images or noise of another shape.

    Example:
        >>> names = ("color", "translation", "cutout")
        >>> seen = diff_augment(images, names, draws.uniform([noise_size(names)]))

    Reference:
        Zhao, Liu, Lin, Zhu, Han 2020, Differentiable Augmentation for Data-Efficient GAN Training, arXiv:2006.10738,
        section 3; the ranges are those of its experiments.
    """
    names = check_names(names)
    images, noise = tf.cast(images, tf.float32), tf.cast(noise, tf.float32)
    if images.shape.rank != 4 or None in images.shape[1:]:
        raise ValueError(f"Expected images [batch, h, w, c], only the batch unknown; received {images.shape}")
    expected = tf.TensorShape([images.shape[0], noise_size(names)])
    if not noise.shape.is_compatible_with(expected) or noise.shape.rank is None:
        raise ValueError(f"Expected noise [batch, {expected[1]}] for {', '.join(names)}; received {noise.shape}")
    first = 0
    for name in names:
        numbers, apply = AUGMENTATIONS[name]
        images = apply(images, noise[:, first : first + numbers])
        first += numbers
    return images


def noise_size(names: Iterable[str]) -> int:
    """Uniform random numbers that the augmentations take for each image.

    Raises:
        ValueError: for an unknown name.
    """
    return sum(AUGMENTATIONS[name].numbers for name in check_names(names))


def check_names(names: Iterable[str] | str) -> tuple[str, ...]:
    """The names as a tuple; a ValueError that lists the known ones where one is unknown."""
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"Unknown augmentation {name!r}: expected any of {', '.join(AUGMENTATIONS)}")
    return names


def _color(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Brightness +- 0.25, then saturation by a factor in [0, 2], then contrast by a factor in [0.5, 1.5].

    The paper's brightness is +- 0.5 on [-1, 1]. The factors scale the distance from a mean, of a pixel's channels and
    of an image's values, which is the same on both ranges. A gray image has no saturation and keeps it.
    """
    brightness, saturation, contrast = (noise[:, i, None, None, None] for i in range(3))
    images += 0.5 * brightness - 0.25
    images = _from_mean(images, axis=[3], factor=2.0 * saturation)
    return _from_mean(images, axis=[1, 2, 3], factor=contrast + 0.5)


def _from_mean(images: tf.Tensor, axis: list[int], factor: tf.Tensor) -> tf.Tensor:
    mean = tf.reduce_mean(images, axis=axis, keepdims=True)
    return mean + factor * (images - mean)


def _translation(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Move down and right by whole pixels, up to an eighth of the size either way; mid-gray comes in at the border."""
    for axis in (1, 2):
        size = images.shape[axis]
        reach = (size + 4) // 8  # an eighth, rounded
        move = _whole(noise[:, axis - 1], 2 * reach + 1) - reach
        padding = [[reach, reach] if dimension == axis else [0, 0] for dimension in range(4)]
        padded = tf.pad(images, padding, constant_values=MIDDLE)
        source = tf.range(size)[None] + (reach - move)[:, None]
        images = tf.gather(padded, source, axis=axis, batch_dims=1)
    return images


def _cutout(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Fill a rectangle of half the height and half the width with mid-gray.

    Its center is uniform over the image, so that a part of it may lie outside.
    """
    rows, columns = (_interval(images.shape[axis], noise[:, axis - 1]) for axis in (1, 2))
    return tf.where(rows[:, :, None, None] & columns[:, None, :, None], MIDDLE, images)


def _interval(size: int, uniform: tf.Tensor) -> tf.Tensor:
    """Which of `size` places lie in an interval of half the size: bool [batch, size]."""
    length = (size + 1) // 2
    # an even length is centered between two places, or at either end: one possibility more, so that both ends are alike
    start = _whole(uniform, size + 1 - length % 2) - length // 2
    distance = tf.range(size)[None] - start[:, None]
    return (distance >= 0) & (distance < length)


def _whole(uniform: tf.Tensor, count: int) -> tf.Tensor:
    """Uniform on [0, 1) -> uniform on 0, ..., count - 1."""
    return tf.minimum(tf.cast(tf.floor(uniform * count), tf.int32), count - 1)


AUGMENTATIONS = {
    "color": Augmentation(3, _color),
    "translation": Augmentation(2, _translation),
    "cutout": Augmentation(2, _cutout),
}
