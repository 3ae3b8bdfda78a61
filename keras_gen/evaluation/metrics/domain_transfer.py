"""Does a translation carry the class over: a classifier learns from translated images and is tested on real ones."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..features.classifier import ClassConditional, feature_classifier

# what each classifier learns from: a smaller set is enlarged by copies that are moved by so many pixels at most
ENLARGED, MOVED = 60_000, 2


class Transfer(NamedTuple):
    """Accuracies on the target's real test images, 0 to 1.

    Attributes:
        translated: of a classifier that learned from the source's images, translated, and their labels.
        untranslated: the same, of the images as they are; None where the domains' shapes differ.
        real: of one that learned from the target's own images and labels.
    """

    translated: float
    untranslated: float | None
    real: float


def transfer(
    translated: ClassConditional,
    source: ClassConditional,
    target: ClassConditional,
    test: ClassConditional,
    *,
    seed: int = 0,
    folder=None,
    enlarged: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Transfer:
    """How well a target domain's classes are learned from translations, beside doing nothing and beside its own images.

    The three classifiers are one network under one recipe, `feature_classifier` on sets enlarged by `moved_copies`. No
    label of the target is used but for `real`.

    Args:
        translated: the source's images as images of the target, and their labels.
        source: the source's images and labels.
        target: the target's own.
        test: real images of the target and their labels.
        seed: of weights and order.
        folder: where classifiers are kept, see `feature_classifier`.
        enlarged: images that each classifier learns from, at least; None is `ENLARGED`.
        progress: called with (batches done, all of them) in the training of each classifier.

    Reference:
        Hoffman et al. 2017, CyCADA, arXiv:1711.03213, section 4.1 (the digits).
    """

    def accuracy(train: ClassConditional) -> float:
        learned = moved_copies(train, ENLARGED if enlarged is None else enlarged, seed)
        return feature_classifier(learned, test, seed=seed, folder=folder, progress=progress).accuracy

    alike = source[0].shape[1:] == test[0].shape[1:]
    return Transfer(accuracy(translated), accuracy(source) if alike else None, accuracy(target))


def moved_copies(labeled: ClassConditional, num: int, seed: int = 0, most: int = MOVED) -> ClassConditional:
    """A set enlarged to `num` images or a little more: itself, then copies of it, each image moved at random.

    Args:
        labeled: images [n, height, width, channels] and their labels.
        num: images that are due; a set that has them is returned as it is.
        seed: of the moves.
        most: pixels each way; the edge is repeated.

    Returns:
        Images (float16 where there are copies: they are many) and labels.
    """
    images, labels = labeled
    copies = math.ceil(num / len(images))
    if copies < 2:
        return labeled
    generator = np.random.Generator(np.random.Philox(key=seed))
    sides, few = ((0, 0), (most, most), (most, most), (0, 0)), images.astype(np.float16)
    padded, (height, width) = np.pad(few, sides, mode="edge"), images.shape[1:3]
    # [n, rows, columns, channels, height, width]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    parts = [few]
    for _ in range(copies - 1):
        rows, columns = generator.integers(0, 2 * most + 1, (2, len(images)))
        parts.append(np.moveaxis(windows[np.arange(len(images)), rows, columns], 1, -1))
    return np.concatenate(parts), np.tile(labels, copies)
