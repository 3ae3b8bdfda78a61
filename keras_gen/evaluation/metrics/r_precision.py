"""R-precision: does an image show its own text rather than another?"""

from typing import NamedTuple

import numpy as np

from .standard_error import standard_error


class RPrecision(NamedTuple):
    """Shares of images.

    Attributes:
        value: whose own text ranks first among the candidates, 0 to 1; a tie counts by its share.
        standard_error: of the value, over images; None for a single one.
        chance: what guessing gives, 1 / candidates.
    """

    value: float
    standard_error: float | None
    chance: float


def r_precision(scores: np.ndarray, meaning: np.ndarray, candidates: int = 100, seed: int = 0) -> RPrecision:
    """How often an image's own text has the highest score among texts that are otherwise false for it (R = 1).

    For every image, `candidates - 1` texts are drawn, without replacement, from those whose meaning differs from that
    of its own text.

    Args:
        scores: [num, num], of image i with text j; text i is image i's own.
        meaning: integers [num]; texts of one meaning are true for the same images, and never false candidates for one
            another.
        candidates: texts that each image is compared with, its own included, >= 2.
        seed: of the draw.

    Raises:
        ValueError: where some image has fewer false texts than needed.

    Reference:
        Xu et al. 2018, AttnGAN, arXiv:1711.10485 (R = 1, one text of the image and 99 others, by the cosine of
        embeddings).
    """
    scores, meaning = np.asarray(scores), np.asarray(meaning)
    num = len(meaning)
    if scores.shape != (num, num) or candidates < 2:
        raise ValueError(
            f"Expected scores [num, num] for {num} texts, and candidates >= 2; received {scores.shape} and {candidates}"
        )
    generator = np.random.Generator(np.random.Philox(key=seed))
    right = np.empty(num)
    for image in range(num):
        false = np.flatnonzero(meaning != meaning[image])
        if len(false) < candidates - 1:
            raise ValueError(
                f"Expected {candidates - 1} texts that are false for each image; one of {num} has {len(false)}"
            )
        others = scores[image, generator.choice(false, candidates - 1, replace=False)]
        own = scores[image, image]
        right[image] = 0.0 if others.max() > own else 1.0 / (1 + np.count_nonzero(others == own))
    return RPrecision(float(right.mean()), standard_error(right), 1 / candidates)
