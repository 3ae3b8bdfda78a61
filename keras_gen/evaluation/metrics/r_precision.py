"""R-precision: how often an image matches its own text better than other texts."""

from typing import NamedTuple

import numpy as np

from ..seeding import seeded_generator
from .standard_error import standard_error


class RPrecision(NamedTuple):
    """R-precision with R = 1.

    Attributes:
        value: fraction of images whose own text ranks first among the candidates, 0 to 1; a tie of n counts 1 / n.
        standard_error: standard error over images; None for a single one.
        chance: expected value of random scores, 1 / candidates.
    """

    value: float
    standard_error: float | None
    chance: float


def r_precision(scores: np.ndarray, text_classes: np.ndarray, candidates: int = 100, seed: int = 0) -> RPrecision:
    """Returns how often an image's own text has the highest score among texts that do not describe the image (R = 1).

    For every image, `candidates - 1` texts are sampled, without replacement, from those of another class than its own
    text.

    Args:
        scores: [num, num], the score of image i with text j; text i is image i's own.
        text_classes: integers [num]; texts of one class describe the same images and are never candidates for one
            another.
        candidates: texts with which each image is compared, including its own, >= 2.
        seed: seed of the candidates.

    Raises:
        ValueError: for too few texts of other classes.

    Reference:
        Xu et al. 2018, AttnGAN, arXiv:1711.10485 (R = 1, one text of the image and 99 others, by the cosine of
        embeddings).
    """
    scores, text_classes = np.asarray(scores), np.asarray(text_classes)
    num = len(text_classes)
    if scores.shape != (num, num) or candidates < 2:
        raise ValueError(
            f"Expected scores [num, num] for {num} texts, and candidates >= 2; received {scores.shape} and {candidates}"
        )
    generator = seeded_generator(seed)
    values = np.empty(num)
    for image in range(num):
        false = np.flatnonzero(text_classes != text_classes[image])
        if len(false) < candidates - 1:
            raise ValueError(
                f"Expected {candidates - 1} texts of other classes for each image; received {len(false)} for one"
            )
        others = scores[image, generator.choice(false, candidates - 1, replace=False)]
        own = scores[image, image]
        values[image] = 0.0 if others.max() > own else 1.0 / (1 + np.count_nonzero(others == own))
    return RPrecision(float(values.mean()), standard_error(values), 1 / candidates)
