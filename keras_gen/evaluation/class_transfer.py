"""Does a translation carry the class over: a classifier learns from translated images and is tested on real ones."""

import math
from typing import NamedTuple

from .feature_classifier import SETTINGS, Labelled, feature_classifier

# a small set is passed more often: this many images are seen in all, and at least `SETTINGS["epochs"]` times each
SEEN = 300_000


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
    translated: Labelled, source: Labelled, target: Labelled, test: Labelled, *, seed: int = 0, folder=None, seen=None
) -> Transfer:
    """How well a target domain's classes are learned from translations, beside doing nothing and beside its own images.

    The three classifiers are one network under one recipe, `feature_classifier`. No label of the target is used but
    for `real`.

    Args:
        translated: the source's images as images of the target, and their labels.
        source: the source's images and labels.
        target: the target's own.
        test: real images of the target and their labels.
        seed: of weights and order.
        folder: where classifiers are kept, see `feature_classifier`.
        seen: images that each classifier sees in all; None is `SEEN`.

    Reference:
        Hoffman et al. 2017, CyCADA, arXiv:1711.03213, section 4.1 (the digits).
    """

    def accuracy(train: Labelled) -> float:
        epochs = max(SETTINGS["epochs"], math.ceil((seen or SEEN) / len(train[0])))
        return feature_classifier(train, test, seed=seed, folder=folder, settings={"epochs": epochs}).accuracy

    alike = source[0].shape[1:] == test[0].shape[1:]
    return Transfer(accuracy(translated), accuracy(source) if alike else None, accuracy(target))
