"""Random numbers of the evaluation: numpy's Philox, a function of the seed alone."""

from collections.abc import Sequence

import numpy as np


def seeded_generator(seed: int | Sequence[int]) -> np.random.Generator:
    """Returns a generator whose numbers depend only on the seed.

    Args:
        seed: an integer >= 0, or two of them for independent streams.
    """
    return np.random.Generator(np.random.Philox(key=seed))


def seeded_permutation(num: int, seed: int) -> np.ndarray:
    """Returns the numbers 0 to `num - 1` in a random order, int64 [num]."""
    return seeded_generator(seed).permutation(num)
