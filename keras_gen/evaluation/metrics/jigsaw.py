"""Metrics of solved puzzles: overlap of masks, errors inside masks, and tiles at correct positions."""

import numpy as np

THRESHOLDS = np.linspace(0.05, 0.95, 19)

# 8-bit images differ by at least 1 / 255
EQUAL_PIXELS = 1e-4


def mask_iou(masks: np.ndarray, predicted: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Returns the intersection over union of binarized masks, [num]; 1 where both are empty.

    Args:
        masks: true masks [num, height, width, 1] in [0, 1], binarized at 0.5.
        predicted: the same shape, or one mask for all images [1, height, width, 1].
        threshold: at which `predicted` is binarized.
    """
    true, positive = masks >= 0.5, predicted >= threshold
    intersection, union = (true & positive).sum((1, 2, 3)), (true | positive).sum((1, 2, 3))
    return np.where(union > 0, intersection / np.maximum(union, 1), 1.0)


def average_mask(masks: np.ndarray) -> np.ndarray:
    """Returns the best prediction without any patch: one binary mask for all images.

    It is the mean of the masks, binarized at the threshold with the largest mean intersection over union.

    Args:
        masks: masks of training images, [num, height, width, 1].

    Returns:
        float32 [1, height, width, 1].
    """
    mean = masks.mean(0, keepdims=True)
    best = max(THRESHOLDS * mean.max(), key=lambda threshold: mask_iou(masks, mean, threshold).mean())
    return (mean >= best).astype(np.float32)


def masked_error(images: np.ndarray, restored: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the mean absolute difference over pixels and channels where the mask is >= 0.5; 0 for an empty mask.

    Args:
        images: [num, height, width, channels] in [0, 1].
        restored: the same shape, or a single color for each image [num, 1, 1, channels].
        masks: [num, height, width, 1].

    Returns:
        [num].
    """
    inside = masks >= 0.5
    total = (np.abs(images - restored) * inside).sum((1, 2, 3))
    return total / np.maximum(inside.sum((1, 2, 3)) * images.shape[-1], 1)


def best_constants(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the color with the smallest `masked_error` for each image: the median of each channel inside the mask.

    Args:
        images: [num, height, width, channels] in [0, 1].
        masks: [num, height, width, 1].

    Returns:
        [num, 1, 1, channels]; zeros for an empty mask.
    """
    colors = [
        np.median(image[mask], axis=0) if mask.any() else np.zeros(image.shape[-1])
        for image, mask in zip(images, masks[..., 0] >= 0.5, strict=True)
    ]
    return np.stack(colors)[:, None, None].astype(np.float32)


def correct_tiles(
    tiles: np.ndarray, source_tiles: np.ndarray, positions: np.ndarray, presence: np.ndarray
) -> np.ndarray:
    """Returns which tiles equal, pixel by pixel, the tile that belongs to their predicted position.

    Args:
        tiles: in shuffled order, [num, count, height, width, channels].
        source_tiles: tiles of the source images, row by row, the same shape.
        positions: predicted position of each tile, integers [num, count].
        presence: 1 for a tile that is present, else 0, [num, count].

    Returns:
        bool [num, count]; missing tiles count as correct.
    """
    expected = np.take_along_axis(source_tiles, positions[:, :, None, None, None], axis=1)
    equal = np.abs(tiles - expected).max((2, 3, 4)) < EQUAL_PIXELS
    return equal | (presence < 0.5)
