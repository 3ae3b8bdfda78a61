"""How good a run's samples are, beside real images."""

import dataclasses

import numpy as np

from keras_gen import pictures

from .copies import copy_scores
from .run_features import PYRAMID, extractors
from .sample_distance import nearest_reference
from .sample_quality import sample_quality
from .subject import Subject


@dataclasses.dataclass(frozen=True)
class RealImages:
    """Real images that samples are judged by, before binarization (samples are means), in random order.

    Attributes:
        judged: of the evaluated split, float32 [num, height, width, channels].
        floor: of the training split, none of them in `judged`.
        train: of the training split, to look for copies in.
        held_out: whether `judged` are not trained on.
    """

    judged: np.ndarray
    floor: np.ndarray
    train: np.ndarray
    held_out: bool


def real_images(subject: Subject) -> RealImages:
    """At most `samples` images of the evaluated split and `max_images` of the training split.

    A prefix of each is a random choice, not what comes first in the data's order. Where the training split itself is
    evaluated, one half of its images is judged by and the other half is the floor.
    """
    generator = np.random.Generator(np.random.Philox(key=subject.seed))
    train = subject.batch(subject.max_images, role="train", binarize=None)["image"]
    if subject.split == "train":
        train = train[generator.permutation(len(train))]
        half = len(train) // 2
        return RealImages(train[:half][: subject.samples], train[half:], train, held_out=False)
    judged = subject.batch(subject.samples, binarize=None)["image"]
    judged, train = judged[generator.permutation(len(judged))], train[generator.permutation(len(train))]
    return RealImages(judged, train, train, held_out=True)


def samples(subject: Subject) -> tuple[dict, dict]:
    """Distances and shares of the samples by the features that were asked for, their diversity, and whether they are
    copies of training images; see `sample_quality` and `copy_scores`.
    """
    return sample_metrics(subject, real_images(subject))


def sample_metrics(subject: Subject, real: RealImages) -> tuple[dict, dict]:
    """The metrics of `samples`, of as many generated and real images as there are of the fewest.

    Returns:
        (metrics, about).

    Raises:
        ValueError: where generated images hold NaN or infinity.
    """
    made = subject.generated
    if broken := np.count_nonzero(~np.isfinite(made).all(axis=(1, 2, 3))):
        raise ValueError(f"{broken} of {len(made)} generated images hold NaN or infinity")
    metrics, about = sample_quality(
        made,
        real.judged,
        real.floor,
        extractors(subject),
        pyramid=PYRAMID in subject.features,
        split=subject.split,
        seed=subject.seed,
        progress=subject.progress,
    )
    subject.progress("nearest training images", 0, 0)
    values, notes = copy_scores(made, real.train, real.judged if real.held_out else None, split=subject.split)
    return metrics | values, about | notes


def generated(subject: Subject) -> np.ndarray:
    """64 generated images, as a picture, with the names of their classes where these have any."""
    labels = subject.conditions(subject.samples).get("label")
    names = None if labels is None else subject.model.names_of(labels[:64])
    return pictures.grid(subject.generated[:64], columns=8, scale=subject.zoom, labels=names)


def neighbours(subject: Subject) -> np.ndarray:
    """32 generated images, each beside its nearest training image, as a picture."""
    made, train = subject.generated[:32], real_images(subject).train
    indices, _ = nearest_reference(made, train)
    return pictures.pairs(made, train[indices], columns=4, scale=subject.zoom)
