"""The range and directions of a model's codes, measured on generated images because an export has no data."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .conditions import EVERY, classes, label_argument
from .protocols import LatentModel

NUM = 256  # images to measure; fewer if they are large
PIXELS = 2**22  # of all images together
STANDARD_DEVIATIONS = 3.0  # half the length of a direction and of a range


@dataclasses.dataclass(frozen=True)
class Codes:
    """Range and directions of a model's codes.

    Attributes:
        mean: [size], mean of the measured codes.
        std: [size], their standard deviation, near 0 for a dimension that the model ignores.
        low: [size], the lower end of the range of sliders: at most -3, and below the measured codes within three
            standard deviations of the mean.
        high: [size], the upper end of the range: at least 3, and above these codes.
        directions: [2, size], the first two principal components of the measured codes, three standard deviations long.
        measured: [num, size], the measured codes.
    """

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    directions: np.ndarray
    measured: np.ndarray

    @property
    def size(self) -> int:
        """Number of dimensions of a code."""
        return len(self.mean)

    def active(self, num: int) -> list[int]:
        """Returns the `num` dimensions with the largest standard deviation, largest first; all in order if they fit."""
        if self.size <= num:
            return list(range(self.size))
        return [int(index) for index in np.argsort(-self.std, kind="stable")[:num]]


def measure(model: LatentModel) -> Codes:
    """Encodes generated images, of every class in turn, and returns the statistics of their codes.

    Args:
        model: Model with the endpoints `generate` and `encode`.
    """
    num = int(np.clip(PIXELS // math.prod(model.image_shape[:2]), 16, NUM))
    count = len(classes(model, "generate"))
    condition = label_argument(EVERY if count else None, num, count)
    codes = model.encode(model.generate(num, 0, **condition), **condition)
    mean, std = codes.mean(axis=0), codes.std(axis=0)
    _, lengths, rows = np.linalg.svd(codes - mean, full_matrices=False)
    directions = np.zeros((2, len(mean)), np.float32)
    num_components = min(2, len(rows))
    directions[:num_components] = (
        STANDARD_DEVIATIONS * lengths[:num_components, None] / np.sqrt(num) * rows[:num_components]
    )
    # distributions without tails, such as a mixture or a Swiss roll, end before three standard deviations
    low = np.minimum(-STANDARD_DEVIATIONS, np.floor(np.maximum(mean - STANDARD_DEVIATIONS * std, codes.min(axis=0))))
    high = np.maximum(STANDARD_DEVIATIONS, np.ceil(np.minimum(mean + STANDARD_DEVIATIONS * std, codes.max(axis=0))))
    return Codes(mean, std, low, high, directions, codes)


def start_code(model: LatentModel, seed: int, condition: Mapping[str, Any]) -> np.ndarray:
    """Returns the code [size] of the image that a seed generates; it does not depend on the form of the prior.

    Args:
        model: Model with the endpoints `generate` and `encode`.
        seed: 0 <= seed < 2**63.
        condition: Keyword arguments of the class, from `label_argument`.
    """
    return model.encode(model.generate(1, seed, **condition), **condition)[0]


def format_code(code: np.ndarray) -> str:
    """Returns a code as text, with two decimals."""
    return " ".join(f"{value:+.2f}" for value in code)
