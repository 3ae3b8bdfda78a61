"""A picture of interpolations between images in latent space."""

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext

NUM_ROWS = 8
NUM_STEPS = 10


def interpolate(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """Returns equidistant codes on the line between two codes, both included.

    Args:
        first: code [size].
        last: code [size].
        steps: number of codes, >= 2.

    Returns:
        [steps, size].

    Example:
        >>> interpolate(np.array([0.0]), np.array([2.0]), 3).tolist()
        [[0.0], [1.0], [2.0]]
    """
    weights = np.linspace(0.0, 1.0, steps)[:, None]
    return (1.0 - weights) * first + weights * last


def interpolation(context: EvaluationContext) -> np.ndarray:
    """Draws rows of images, each from one image to another: the image, decoded codes on the line, the other image.

    A class-conditional model decodes a whole row as the class of its first image. Images are shown before binarization.

    Returns:
        uint8 [height, width, channels].

    Raises:
        ValueError: for a split of one image.
    """
    batch = context.batch(2 * NUM_ROWS)
    rows = len(batch["image"]) // 2
    if rows == 0:
        raise ValueError("Expected at least 2 images in the split for an interpolation; received 1")
    codes = context.map(context.model.encode, batch)
    line = np.concatenate([interpolate(codes[row], codes[rows + row], NUM_STEPS) for row in range(rows)])
    labels = context.labels(batch)
    decoded = context.decode(line, None if labels is None else np.repeat(labels[:rows], NUM_STEPS))
    images = context.batch(2 * NUM_ROWS, binarize=None)["image"]
    first, last = images[:rows, None], images[rows : 2 * rows, None]
    strips = np.concatenate([first, decoded.reshape(rows, NUM_STEPS, *first.shape[2:]), last], axis=1)
    return pictures.grid(strips.reshape(-1, *first.shape[2:]), columns=NUM_STEPS + 2, scale=context.zoom)
