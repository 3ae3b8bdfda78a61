"""The strip of pictures between two images."""

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext

ROWS = 8
STEPS = 10


def interpolate(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """Codes at equal distances on the line from one code [size] to another, both included.

    Args:
        first, last: codes [size].
        steps: codes in all, >= 2.

    Returns:
        [steps, size].
    """
    weights = np.linspace(0.0, 1.0, steps)[:, None]
    return (1.0 - weights) * first + weights * last


def interpolation(context: EvaluationContext) -> np.ndarray:
    """Rows of pictures, each from one image to another: the image, decoded codes on the line, the other image.

    A conditional model decodes a whole row as its first image's class.

    Raises:
        ValueError: for a split of one image.
    """
    batch = context.batch(2 * ROWS)
    rows = len(batch["image"]) // 2
    if rows == 0:
        raise ValueError("An interpolation needs at least 2 images; the split has fewer")
    codes = context.map(context.model.encode, batch)
    line = np.concatenate([interpolate(codes[row], codes[rows + row], STEPS) for row in range(rows)])
    labels = context.labels(batch)
    decoded = context.decode(line, None if labels is None else np.repeat(labels[:rows], STEPS))
    first, last = batch["image"][:rows, None], batch["image"][rows : 2 * rows, None]
    strips = np.concatenate([first, decoded.reshape(rows, STEPS, *first.shape[2:]), last], axis=1)
    return pictures.grid(strips.reshape(-1, *first.shape[2:]), columns=STEPS + 2, scale=context.zoom)
