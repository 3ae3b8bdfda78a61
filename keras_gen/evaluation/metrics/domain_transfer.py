"""Whether translation preserves classes: a classifier is trained on translated images and tested on real ones."""

import math
import os
from typing import NamedTuple

import numpy as np

from ..features.classifier import LabeledImages, feature_classifier
from ..seeding import seeded_generator
from ..types import Progress, no_progress

# training images of each classifier: a smaller set is augmented by copies, shifted by at most MAX_SHIFT pixels
TRAINING_IMAGES, MAX_SHIFT = 60_000, 2


class DomainTransfer(NamedTuple):
    """Accuracies on real test images of the target domain, 0 to 1.

    Attributes:
        translated: of a classifier that is trained on translated source images and their labels.
        untranslated: of a classifier that is trained on the source images themselves; None for domains with images of
            different shape.
        real: of a classifier that is trained on real target images and their labels.
    """

    translated: float
    untranslated: float | None
    real: float


def domain_transfer(
    translated: LabeledImages,
    source: LabeledImages,
    target: LabeledImages,
    test: LabeledImages,
    *,
    seed: int = 0,
    folder: str | os.PathLike | None = None,
    min_images: int | None = None,
    progress: Progress = no_progress,
) -> DomainTransfer:
    """Returns how well classifiers trained on translated, source and target images recognize the target's classes.

    The three classifiers have the same network and training, `feature_classifier` on sets augmented by
    `add_shifted_copies`. Labels of the target are used for `real` alone.

    Args:
        translated: source images translated into the target domain, and their labels.
        source: images and labels of the source.
        target: images and labels of the target.
        test: real test images of the target and their labels.
        seed: seed of weights and order.
        folder: cache folder of the classifiers, see `feature_classifier`.
        min_images: training images of each classifier, at least; None is `TRAINING_IMAGES`.
        progress: called with (batches done, total) in the training of each classifier.

    Reference:
        Hoffman et al. 2017, CyCADA, arXiv:1711.03213, section 4.1 (the digits).
    """

    def accuracy(train: LabeledImages) -> float:
        augmented = add_shifted_copies(train, TRAINING_IMAGES if min_images is None else min_images, seed)
        return feature_classifier(augmented, test, seed=seed, folder=folder, progress=progress).accuracy

    same_shape = source[0].shape[1:] == test[0].shape[1:]
    return DomainTransfer(accuracy(translated), accuracy(source) if same_shape else None, accuracy(target))


def add_shifted_copies(
    labeled: LabeledImages, min_images: int, seed: int = 0, max_shift: int = MAX_SHIFT
) -> LabeledImages:
    """Augments a set to at least `min_images` images: the set itself, then copies with every image randomly shifted.

    Args:
        labeled: images [n, height, width, channels] and their labels.
        min_images: a set that has as many images is returned as it is.
        seed: seed of the shifts.
        max_shift: pixels in each direction; the border is repeated.

    Returns:
        images (float16 if copies were added, to save memory) and labels.
    """
    images, labels = labeled
    copies = math.ceil(min_images / len(images))
    if copies < 2:
        return labeled
    generator = seeded_generator(seed)
    half_precision = images.astype(np.float16)
    padding = ((0, 0), (max_shift, max_shift), (max_shift, max_shift), (0, 0))
    padded, (height, width) = np.pad(half_precision, padding, mode="edge"), images.shape[1:3]
    # [n, rows, columns, channels, height, width]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    parts = [half_precision]
    for _ in range(copies - 1):
        rows, columns = generator.integers(0, 2 * max_shift + 1, (2, len(images)))
        parts.append(np.moveaxis(windows[np.arange(len(images)), rows, columns], 1, -1))
    return np.concatenate(parts), np.tile(labels, copies)
