"""Measures of a solved puzzle: masks, errors inside them with what a constant would get, tiles at their places."""

import numpy as np

THRESHOLDS = np.linspace(0.05, 0.95, 19)


def mask_overlap(masks: np.ndarray, found: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Intersection over union of masks [num, height, width, 1] in [0, 1], both taken at a threshold: [num].

    1 where both are empty. A mask that is the same for all images may be given once, as [1, height, width, 1].
    """
    ours, theirs = masks >= 0.5, found >= threshold
    both, either = (ours & theirs).sum((1, 2, 3)), (ours | theirs).sum((1, 2, 3))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def average_mask(masks: np.ndarray) -> np.ndarray:
    """What a model could say that sees no patch: one mask [1, height, width, 1] of zeros and ones for all images.

    The mean of the masks, at the threshold where it overlaps them best.

    Args:
        masks: of training images, [num, height, width, 1].
    """
    mean = masks.mean(0, keepdims=True)
    best = max(THRESHOLDS * mean.max(), key=lambda threshold: mask_overlap(masks, mean, threshold).mean())
    return (mean >= best).astype(np.float32)


def inside_error(images: np.ndarray, made: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean absolute difference inside the mask (from 1/2 on), over pixels and channels: [num]; 0 without such pixels.

    Args:
        images, made: [num, height, width, channels] in [0, 1]; `made` may be one color, [num, 1, 1, channels].
        masks: [num, height, width, 1].
    """
    inside = masks >= 0.5
    total = (np.abs(images - made) * inside).sum((1, 2, 3))
    return total / np.maximum(inside.sum((1, 2, 3)) * images.shape[-1], 1)


def best_constants(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The one color for each image with the smallest `inside_error`: the median of each channel inside the mask.

    Args:
        images, masks: as in `inside_error`.

    Returns:
        [num, 1, 1, channels]; zeros where the mask is empty.
    """
    colors = [np.median(image[mask], axis=0) if mask.any() else np.zeros(image.shape[-1])
               for image, mask in zip(images, masks[..., 0] >= 0.5, strict=True)]  # fmt: skip
    return np.stack(colors)[:, None, None].astype(np.float32)


def tiles_right(tiles: np.ndarray, whole: np.ndarray, places: np.ndarray, presence: np.ndarray) -> np.ndarray:
    """Which tiles are right: whether what belongs to the place a tile was given is the same pixel by pixel.

    Args:
        tiles: in the order that was given, [num, count, height, width, channels].
        whole: of the true images, row by row, of the same shape.
        places: of each tile, [num, count].
        presence: 1 for a tile that is there, [num, count].

    Returns:
        bool [num, count]; missing tiles count as right.
    """
    wanted = np.take_along_axis(whole, places[:, :, None, None, None], axis=1)
    # 8-bit images differ by 1 / 255 at least
    same = np.abs(tiles - wanted).max((2, 3, 4)) < 1e-4
    return same | (presence < 0.5)
