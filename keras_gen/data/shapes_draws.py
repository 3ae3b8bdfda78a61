"""Which pictures the splits of `shapes` hold."""

import numpy as np

from .shapes_captions import FORMS
from .shapes_factors import Factors

SIZES = {"full": {"train": 20_000, "test": 2_000}, "tiny": {"train": 600, "test": 200}}
_SEEDS = {"train": 1, "test": 2}


def draw_split(split: str) -> tuple[Factors, np.ndarray]:
    """Return the factors of "train" or "test" in the order of generation, and the form of each caption."""
    count = SIZES["full"][split]
    forms = np.random.Generator(np.random.Philox(key=100 + _SEEDS[split])).random(count) * FORMS
    return Factors.draw(count, _SEEDS[split]), np.floor(forms).astype(np.int64)
