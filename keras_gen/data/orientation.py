"""Whether mirrored images look like the others: how often a classifier tells an image from its mirror image."""

import numpy as np

SIZE, CELL = 16, 3
FOLDS = 8


def orientation_accuracy(images: np.ndarray) -> float:
    """Returns the share of images of which a linear classifier recognizes that they are not mirrored.

    About 1/2 where mirrored images are as likely as the others, such as faces, and near 1 where they are not, such as
    digits, text, or cars that all face one way. The features are the strengths and orientations of edges in 5x5 cells
    of the image at 16x16 pixels, which do not depend on colors. The classifier is fitted to the difference between the
    features of an image and those of its mirror image, and tested on other images, in eight folds. The standard error
    is about 0.07 for 64 images and 0.05 for 256.

    Args:
        images: float [num, height, width, channels].

    Returns:
        A number from 0 to 1; 1/2 for fewer than two images.

    Example:
        >>> random = np.random.default_rng(0)
        >>> steps = np.arange(8) * random.uniform(0.5, 2, (64, 1))  # all become brighter to the right, and darker below
        >>> orientation_accuracy((steps[:, None] - steps[:, :, None])[..., None])
        1.0
    """
    if len(images) < 2:
        return 0.5
    small = _resized(images.mean(axis=-1, dtype=np.float32))
    differences = _edges(small) - _edges(small[:, :, ::-1])
    fold, recognized = np.arange(len(images)) % min(FOLDS, len(images)), np.zeros(len(images))
    for index in range(fold.max() + 1):
        train, test = differences[fold != index], differences[fold == index]
        moments = train.T @ train / len(train)
        ridge = np.trace(moments) / len(moments) + 1e-12
        direction = np.linalg.solve(moments + ridge * np.eye(len(moments)), train.mean(0))
        score = test @ direction
        recognized[fold == index] = np.where(np.abs(score) < 1e-9, 0.5, score > 0)
    return float(recognized.mean())


def _resized(images: np.ndarray) -> np.ndarray:
    """Returns gray images at 16x16 pixels, as means of areas, each with mean 0 and standard deviation 1."""
    for axis in (1, 2):
        edges = np.linspace(0, images.shape[axis], SIZE + 1)
        starts = np.arange(images.shape[axis])
        overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
        weights = np.maximum(overlap, 0) / np.diff(edges)[:, None]
        images = np.moveaxis(np.tensordot(images, weights, (axis, 1)), -1, axis)
    centered = images - images.mean((1, 2), keepdims=True)
    return centered / (centered.std((1, 2), keepdims=True) + 1e-3)


def _edges(images: np.ndarray) -> np.ndarray:
    """Returns the mean strength and, with it as a weight, cosine and sine of twice the angle of the edges in cells.

    Args:
        images: [num, 16, 16].

    Returns:
        [num, 75]. Edges of opposite polarity have the same orientation.
    """
    below, right = np.diff(images, axis=1), np.diff(images, axis=2)
    vertical, horizontal = below[:, :, 1:] + below[:, :, :-1], right[:, 1:] + right[:, :-1]
    strength, angle = np.hypot(vertical, horizontal), 2 * np.arctan2(vertical, horizontal)
    parts = np.stack([strength, strength * np.cos(angle), strength * np.sin(angle)], -1)
    cells = (SIZE - 1) // CELL
    return parts.reshape(len(images), cells, CELL, cells, CELL, 3).mean((2, 4)).reshape(len(images), -1)
