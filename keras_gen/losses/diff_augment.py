"""DiffAugment: differentiable augmentation of the discriminator's inputs, real and generated."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import tensorflow as tf

# the paper fills with 0 on its range [-1, 1]
MID_GRAY = 0.5


class Augmentation(NamedTuple):
    """One differentiable augmentation.

    Attributes:
        noise_size: uniform random numbers per image.
        apply: images [batch, h, w, c], noise [batch, noise_size] -> images.
    """

    noise_size: int
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def diff_augment(
    images: tf.Tensor, names: Iterable[str], noise: tf.Tensor, applied: tf.Tensor | None = None
) -> tf.Tensor:
    """Applies differentiable augmentations in the order of their names.

    The discriminator sees only augmented images, and the generator is trained through the augmentation, so generated
    images are not augmented themselves. Use different noise for real and generated images. Values may leave [0, 1]:
    they are not clipped, so that every pixel keeps its gradient.

    Args:
        images: float [batch, height, width, channels] in [0, 1], with a static shape but for the batch.
        names: any of `"color"`, `"translation"`, `"cutout"`.
        noise: uniform on [0, 1), [batch, noise_size(names)]; the augmentations take their columns in
            order.
        applied: bool [batch, number of names]: which of the augmentations each image gets; None is all of them.

    Returns:
        float32 [batch, height, width, channels].

    Raises:
        ValueError: for an unknown name, or images, noise or `applied` of another shape.

    Example:
        >>> names = ("color", "translation", "cutout")
        >>> images, noise = tf.fill([2, 8, 8, 3], 0.5), tf.random.uniform([2, noise_size(names)])
        >>> diff_augment(images, names, noise).shape
        TensorShape([2, 8, 8, 3])

    Reference:
        Zhao, Liu, Lin, Zhu, Han 2020, Differentiable Augmentation for Data-Efficient GAN Training, arXiv:2006.10738,
        section 3; the ranges are those of its experiments. Augmentations that only some images get: Karras et al.
        2020, arXiv:2006.06676, section 2.
    """
    names = check_names(names)
    images, noise = tf.cast(images, tf.float32), tf.cast(noise, tf.float32)
    if images.shape.rank != 4 or None in images.shape[1:]:
        raise ValueError(f"Expected images [batch, h, w, c], static but for the batch; received {images.shape}")
    expected = tf.TensorShape([images.shape[0], noise_size(names)])
    if not noise.shape.is_compatible_with(expected) or noise.shape.rank is None:
        raise ValueError(f"Expected noise [batch, {expected[1]}] for {', '.join(names)}; received {noise.shape}")
    if applied is not None and not applied.shape.is_compatible_with([images.shape[0], len(names)]):
        raise ValueError(f"Expected applied [batch, {len(names)}] for {', '.join(names)}; received {applied.shape}")
    start = 0
    for index, name in enumerate(names):
        size, apply = AUGMENTATIONS[name]
        augmented = apply(images, noise[:, start : start + size])
        images = augmented if applied is None else tf.where(applied[:, index, None, None, None], augmented, images)
        start += size
    return images


def noise_size(names: Iterable[str]) -> int:
    """Returns the number of uniform random numbers that the augmentations need per image.

    Raises:
        ValueError: for an unknown name.
    """
    return sum(AUGMENTATIONS[name].noise_size for name in check_names(names))


def check_names(names: Iterable[str] | str) -> tuple[str, ...]:
    """Returns the names as a tuple.

    Raises:
        ValueError: for an unknown name.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"Expected augmentations from {', '.join(AUGMENTATIONS)}; received {name!r}")
    return names


def _color(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Changes brightness by +- 0.25, then saturation by a factor in [0, 2], then contrast by a factor in [0.5, 1.5].

    The paper's brightness changes by +- 0.5 on [-1, 1]. The factors scale the distance from a mean (of a pixel's
    channels, and of an image's values), which is independent of the range. A gray image has no saturation to change.
    """
    brightness, saturation, contrast = (noise[:, i, None, None, None] for i in range(3))
    images += 0.5 * brightness - 0.25
    images = _scale_around_mean(images, axis=[3], factor=2.0 * saturation)
    return _scale_around_mean(images, axis=[1, 2, 3], factor=contrast + 0.5)


def _scale_around_mean(images: tf.Tensor, axis: list[int], factor: tf.Tensor) -> tf.Tensor:
    mean = tf.reduce_mean(images, axis=axis, keepdims=True)
    return mean + factor * (images - mean)


def _translation(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Shifts images by whole pixels, up to an eighth of the size in each direction, and fills with mid-gray."""
    for axis in (1, 2):
        size = images.shape[axis]
        max_shift = (size + 4) // 8  # an eighth, rounded
        shift = _to_integer(noise[:, axis - 1], 2 * max_shift + 1) - max_shift
        padding = [[max_shift, max_shift] if dimension == axis else [0, 0] for dimension in range(4)]
        padded = tf.pad(images, padding, constant_values=MID_GRAY)
        source = tf.range(size)[None] + (max_shift - shift)[:, None]
        images = tf.gather(padded, source, axis=axis, batch_dims=1)
    return images


def _cutout(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Fills a rectangle of half the height and half the width with mid-gray.

    Its center is uniform over the image, so a part of the rectangle may lie outside.
    """
    rows, columns = (_interval(images.shape[axis], noise[:, axis - 1]) for axis in (1, 2))
    return tf.where(rows[:, :, None, None] & columns[:, None, :, None], MID_GRAY, images)


def _interval(size: int, uniform: tf.Tensor) -> tf.Tensor:
    """Returns which of `size` pixels lie in a random interval of half the size, bool [batch, size]."""
    length = (size + 1) // 2
    # an interval of even length has one more possible center than pixels, which treats both ends alike
    start = _to_integer(uniform, size + 1 - length % 2) - length // 2
    distance = tf.range(size)[None] - start[:, None]
    return (distance >= 0) & (distance < length)


def _to_integer(uniform: tf.Tensor, count: int) -> tf.Tensor:
    """Returns uniform integers 0, ..., count - 1 for uniform noise on [0, 1)."""
    return tf.minimum(tf.cast(tf.floor(uniform * count), tf.int32), count - 1)


AUGMENTATIONS = {
    "color": Augmentation(3, _color),
    "translation": Augmentation(2, _translation),
    "cutout": Augmentation(2, _cutout),
}
