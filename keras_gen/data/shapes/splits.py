"""Sizes and factors of the splits of `shapes`."""

import numpy as np

from .captions import FORMS
from .factors import Factors

SIZES = {
    "full": {"train": 20_000, "test": 2_000},
    "placed": {"train": 20_000, "test": 2_000},
    "plain": {"train": 20_000, "test": 2_000},
    "tiny": {"train": 600, "test": 200},
}
# factors that are the same for every object of a configuration; the others vary as in `full`
FIXED = {
    # a patch determines its position in the image
    "placed": {"size": "large", "position": "center", "rotation": "upright"},
    # few enough factors that a small model learns them in minutes
    "plain": {"texture": "plain", "position": "center", "rotation": "upright", "background": "white"},
}
_SEEDS = {"train": 1, "test": 2}


def draw_split(split: str, config: str = "full") -> tuple[Factors, np.ndarray]:
    """Returns the factors of "train" or "test" in the order of generation, and the form of each caption.

    Args:
        split: "train" or "test".
        config: "full", "placed", "plain" or "tiny". The factors are those of `full`, except for `FIXED[config]`; the
            examples of `tiny` are the first ones of `full`.
    """
    count = SIZES["full"][split]
    forms = np.random.Generator(np.random.Philox(key=100 + _SEEDS[split])).random(count) * FORMS
    factors = Factors.draw(count, _SEEDS[split])
    return factors.change(**FIXED.get(config, {})), np.floor(forms).astype(np.int64)
