"""Sliced Wasserstein distances between patches of Laplacian pyramids: one number for each level of detail."""

import numpy as np
import scipy.ndimage

from keras_gen.batching import batch_slices

from ..seeding import seeded_generator
from ..types import Progress, no_progress
from .sliced_wasserstein import sliced_wasserstein

PATCH_SIZE = 7
MIN_SIZE = 16

# images whose pyramids are in memory at a time
IMAGES_PER_PASS = 256

# Burt and Adelson's kernel with a = 3/8, the binomial one
KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0], np.float32) / 16.0


def laplacian_swd(
    first: np.ndarray,
    second: np.ndarray,
    *,
    patches: int = 128,
    projections: int = 512,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[int, float]:
    """Returns the sliced Wasserstein distance of 7x7 patches at each level of the Laplacian pyramid, times 1000.

    A level contains the detail that its resolution adds to the next coarser one; the coarsest is the small image
    itself. Patches of 7x7 pixels and all channels are cut from every image and level at random positions (the same in
    both sets). Each set is then normalized, per channel, by its own mean and standard deviation, so that overall
    brightness and contrast do not count. The distance is of first order, a mean of absolute differences. Each level
    halves the previous one while height and width are even and at least 16 pixels remain: levels 64, 32 and 16 for
    64x64 pixels, 28 alone for 28x28.

    The paper used 16,384 images. The value decreases with the number of images, down to the floor of real images
    against other real images.

    Args:
        first: float32 [num, height, width, channels].
        second: the same shape.
        patches: patches per image and level, >= 1; the paper's 128.
        projections: directions, >= 1; the paper's 512.
        seed: seed of positions and directions.
        progress: called with (directions done, total), over all levels.

    Returns:
        {height of the level: distance x 1000}, finest first.

    Raises:
        ValueError: for images below 16 pixels, or sets of different shape.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, Progressive growing of GANs, arXiv:1710.10196, section 5.
        Burt, Adelson 1983, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31(4).
    """
    if np.ndim(first) != 4 or np.shape(first) != np.shape(second) or len(first) == 0:
        raise ValueError(
            "Expected two sets of as many images [num, height, width, channels]; "
            f"received {np.shape(first)} and {np.shape(second)}"
        )

    height, width = np.shape(first)[1:3]
    heights = level_heights(height, width)

    def distance(level: int) -> float:
        def report(done: int, total: int) -> None:
            progress(level * total + done, len(heights) * total)

        # the patches of one level, as large as everything else together, are freed at the end of this function
        first_patches, second_patches = (_patches(images, level, patches, seed) for images in (first, second))
        return 1000.0 * sliced_wasserstein(
            first_patches, second_patches, projections=projections, seed=seed, order=1, progress=report
        )

    return {height: distance(level) for level, height in enumerate(heights)}


def level_heights(height: int, width: int) -> list[int]:
    """Returns the heights of the levels, finest first: halved while both sides are even and stay at 16 pixels or more.

    Raises:
        ValueError: for images below 16 pixels.
    """
    if min(height, width) < MIN_SIZE:
        raise ValueError(f"Expected images of {MIN_SIZE} pixels or more; received {height}x{width}")
    heights = [height]
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= MIN_SIZE:
        height, width = height // 2, width // 2
        heights.append(height)
    return heights


def laplacian_pyramid(images: np.ndarray) -> list[np.ndarray]:
    """Returns the levels of images, finest first; `level + upsample(coarser image)` reconstructs the image.

    Args:
        images: float32 [num, height, width, channels].

    Returns:
        float32 [num, height / 2^i, width / 2^i, channels] for each level i.
    """
    current = np.asarray(images, np.float32)
    levels, (height, width) = [], current.shape[1:3]
    for _ in level_heights(height, width)[1:]:
        smaller = _blur(current, KERNEL)[:, ::2, ::2]
        levels.append(current - upsample(smaller))
        current = smaller
    return [*levels, current]


def upsample(images: np.ndarray) -> np.ndarray:
    """Returns images of twice the size, float32: zeros are inserted between pixels and the result is blurred."""
    num, height, width, channels = images.shape
    spread = np.zeros((num, 2 * height, 2 * width, channels), np.float32)
    spread[:, ::2, ::2] = images
    return _blur(spread, 2.0 * KERNEL)


def _blur(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        images = scipy.ndimage.convolve1d(images, kernel, axis=axis, mode="mirror")
    return images


def _patches(images: np.ndarray, level: int, count: int, seed: int) -> np.ndarray:
    """Returns normalized patches of one level, float32 [num * count, channels, 49]."""
    generator = seeded_generator(seed)
    patches = np.empty((len(images) * count, images.shape[3], PATCH_SIZE * PATCH_SIZE), np.float32)
    for block in batch_slices(len(images), IMAGES_PER_PASS):
        pyramid_level = laplacian_pyramid(images[block])[level]
        windows = np.lib.stride_tricks.sliding_window_view(pyramid_level, (PATCH_SIZE, PATCH_SIZE), axis=(1, 2))
        image_of_patch = np.repeat(np.arange(len(pyramid_level)), count)
        top, left = (generator.integers(0, size, len(image_of_patch)) for size in windows.shape[1:3])
        rows = slice(block.start * count, block.start * count + len(image_of_patch))
        patches[rows] = windows[image_of_patch, top, left].reshape(len(image_of_patch), pyramid_level.shape[3], -1)
    # channel by channel: a copy of all patches in float64 would be as large as both sets
    for channel in range(patches.shape[1]):
        values = patches[:, channel]
        values -= values.mean(dtype=np.float64).astype(np.float32)
        std = np.sqrt(np.mean(np.einsum("ij,ij->i", values, values), dtype=np.float64) / values.shape[1])
        if std > 0:
            values /= np.float32(std)
    return patches
