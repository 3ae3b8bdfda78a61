"""Sliced Wasserstein distances between patches of Laplacian pyramids: one number for each scale of detail."""

from collections.abc import Callable

import numpy as np
import scipy.ndimage

from .sliced_wasserstein import sliced_wasserstein

PATCH = 7
SMALLEST = 16
# images whose pyramids are held at a time
CHUNK = 256

# Burt and Adelson's kernel with a = 3/8: the binomial one
KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0], np.float32) / 16.0


def pyramid_distance(
    first: np.ndarray,
    second: np.ndarray,
    *,
    patches: int = 128,
    projections: int = 512,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[int, float]:
    """The sliced Wasserstein distance of 7x7 patches at each level of the Laplacian pyramid, times 1000 as published.

    A level holds what its resolution adds to the next coarser one; the coarsest holds the small image itself. From
    every image and level, patches of 7x7 pixels and all channels are cut out at random places (the same places in both
    sets); each set is then normalized, per channel, by its own mean and standard deviation, so that brightness and
    contrast as a whole do not count. The distance is the first-order one, a mean of absolute differences. Each level
    halves the one before while height and width are even and do not fall below 16: levels 64, 32, 16 for 64x64 pixels,
    28 alone for 28x28.

    The paper took 16,384 images; the value falls with the number of images, down to the floor that real images have
    against other real images.

    Args:
        first, second: float32 [num, height, width, channels], as many images in both.
        patches: of each image and level, >= 1; the paper's 128.
        projections: directions, >= 1; the paper's 512.
        seed: of places and directions.
        progress: called with (directions done, all of them over all levels).

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
            f"Expected two sets of as many images [num, height, width, channels]; "
            f"received {np.shape(first)} and {np.shape(second)}"
        )

    heights = level_heights(*np.shape(first)[1:3])

    def distance(level: int) -> float:
        def report(done: int, total: int) -> None:
            progress(level * total + done, len(heights) * total)

        # the patches of a level, as large as all else together, go with this function's end
        cut = (_patches(images, level, patches, seed) for images in (first, second))
        return 1000.0 * sliced_wasserstein(*cut, projections=projections, seed=seed, order=1, progress=report)

    return {height: distance(level) for level, height in enumerate(heights)}


def level_heights(height: int, width: int) -> list[int]:
    """Heights of the levels, finest first: halved while both sides are even and stay at 16 pixels or more.

    Raises:
        ValueError: below 16 pixels.
    """
    if min(height, width) < SMALLEST:
        raise ValueError(f"A pyramid of patches needs images of {SMALLEST} pixels or more; received {height}x{width}")
    heights = [height]
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= SMALLEST:
        height, width = height // 2, width // 2
        heights.append(height)
    return heights


def laplacian_pyramid(images: np.ndarray) -> list[np.ndarray]:
    """The levels of images, finest first; `level + enlarge(coarser image)` gives the image back.

    Args:
        images: float32 [num, height, width, channels].

    Returns:
        float32 [num, height / 2^i, width / 2^i, channels] for each level i.
    """
    levels, current = [], np.asarray(images, np.float32)
    for _ in level_heights(*current.shape[1:3])[1:]:
        smaller = _blur(current, KERNEL)[:, ::2, ::2]
        levels.append(current - enlarge(smaller))
        current = smaller
    return [*levels, current]


def enlarge(images: np.ndarray) -> np.ndarray:
    """Images of twice the size: zeros in between, then the kernel."""
    num, height, width, channels = images.shape
    spread = np.zeros((num, 2 * height, 2 * width, channels), np.float32)
    spread[:, ::2, ::2] = images
    return _blur(spread, 2.0 * KERNEL)


def _blur(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        images = scipy.ndimage.convolve1d(images, kernel, axis=axis, mode="mirror")
    return images


def _patches(images: np.ndarray, level: int, count: int, seed: int) -> np.ndarray:
    """Normalized patches of one level: float32 [num * count, channels, 49]."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    found = np.empty((len(images) * count, images.shape[3], PATCH * PATCH), np.float32)
    for start in range(0, len(images), CHUNK):
        part = laplacian_pyramid(images[start : start + CHUNK])[level]
        windows = np.lib.stride_tricks.sliding_window_view(part, (PATCH, PATCH), axis=(1, 2))
        which = np.repeat(np.arange(len(part)), count)
        top, left = (generator.integers(0, size, len(which)) for size in windows.shape[1:3])
        rows = slice(start * count, start * count + len(which))
        found[rows] = windows[which, top, left].reshape(len(which), part.shape[3], -1)
    # channel by channel: a copy of all in double precision would be as large as both sets
    for channel in range(found.shape[1]):
        values = found[:, channel]
        values -= values.mean(dtype=np.float64).astype(np.float32)
        deviation = np.sqrt(np.mean(np.einsum("ij,ij->i", values, values), dtype=np.float64) / values.shape[1])
        if deviation > 0:
            values /= np.float32(deviation)
    return found
