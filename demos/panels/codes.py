"""Where a model's codes lie: measured on images that it generates itself, since an export comes without data."""

import dataclasses
import math

import numpy as np

from keras_gen.runtime import Runtime

from .conditions import classes

NUM = 256  # images measured; fewer where they are large
PIXELS = 2**22
REACH = 3.0


@dataclasses.dataclass(frozen=True)
class Codes:
    """Range and directions of a model's codes.

    Attributes:
        mean, spread: [size], over the measured codes. A dimension that the model ignores has a spread near 0.
        low, high: [size], a range worth looking at: at least [-3, 3], and the measured codes within three spreads of
            the mean.
        directions: [2, size], the first two principal components of the measured codes, three spreads long.
        measured: [num, size], the measured codes themselves.
    """

    mean: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    directions: np.ndarray
    measured: np.ndarray

    @property
    def size(self) -> int:
        """Numbers in a code."""
        return len(self.mean)

    def active(self, num: int) -> list[int]:
        """The `num` dimensions with the largest spread, largest first; all of them, in their order, where they fit."""
        if self.size <= num:
            return list(range(self.size))
        return [int(index) for index in np.argsort(-self.spread, kind="stable")[:num]]


def measure(model: Runtime) -> Codes:
    """Encode generated images, of every class in turn, and look at their codes.

    Args:
        model: with the endpoints `generate` and `encode`.
    """
    num = int(np.clip(PIXELS // math.prod(model.image_shape[:2]), 16, NUM))
    count = len(classes(model, "generate"))
    label = {"label": np.arange(num) % count} if count else {}
    codes = model.encode(model.generate(num, 0, **label), **label)
    mean, spread = codes.mean(axis=0), codes.std(axis=0)
    _, lengths, rows = np.linalg.svd(codes - mean, full_matrices=False)
    directions = np.zeros((2, len(mean)), np.float32)
    found = min(2, len(rows))
    directions[:found] = REACH * lengths[:found, None] / np.sqrt(num) * rows[:found]
    # where no tails are, as in a mixture or a roll, codes end before three spreads
    low = np.minimum(-REACH, np.floor(np.maximum(mean - REACH * spread, codes.min(axis=0))))
    high = np.maximum(REACH, np.ceil(np.minimum(mean + REACH * spread, codes.max(axis=0))))
    return Codes(mean, spread, low, high, directions, codes)


def start_code(model: Runtime, seed: int, label: dict) -> np.ndarray:
    """The code [size] of the image that a seed generates, whatever the prior that made it.

    Args:
        model: with the endpoints `generate` and `encode`.
        seed: 0 <= seed < 2**63.
        label: {} or {"label": classes [1]}.
    """
    return model.encode(model.generate(1, seed, **label), **label)[0]


def written(code: np.ndarray) -> str:
    """A code as text: its numbers with two digits."""
    return " ".join(f"{value:+.2f}" for value in code)
