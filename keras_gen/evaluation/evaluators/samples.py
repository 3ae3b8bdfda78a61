"""How good a run's samples are, beside real images."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from keras_gen import pictures

from ..context import Subject
from ..features.of_run import PYRAMID, extractors
from ..metrics.memorization import NearestNeighbours, nearest_neighbours
from ..metrics.sample_quality import sample_quality
from .copies import CHANCE, DISTANCE, copy_names, neighbour_scores

# of training images that samples are compared with at a time
BLOCK_BYTES = 2**26


@dataclasses.dataclass(frozen=True)
class RealImages:
    """Real images that samples are judged by, before binarization (samples are means), in random order.

    Attributes:
        judged: of the evaluated split, float32 [num, height, width, channels].
        floor: of the training split, none of them in `judged`.
        held_out: whether `judged` are not trained on.
    """

    judged: np.ndarray
    floor: np.ndarray
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
        return RealImages(train[:half][: subject.samples], train[half:], held_out=False)
    judged = subject.batch(subject.samples, binarize=None)["image"]
    judged, train = judged[generator.permutation(len(judged))], train[generator.permutation(len(train))]
    return RealImages(judged, train, held_out=True)


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
    try:
        values, notes = neighbour_scores(training_neighbours(subject, real), split=subject.split)
    except ValueError as error:
        names = copy_names(min(len(made), len(real.judged)) if real.held_out else len(made))
        sizes = {"images": subject.count("train"), "samples": len(made), "reason": str(error)}
        values = dict.fromkeys(names)
        notes = {name: {"unit": CHANCE if name == names[2] else DISTANCE, **sizes} for name in names}
    return metrics | values, about | notes


def training_neighbours(subject: Subject, real: RealImages) -> NearestNeighbours:
    """The nearest of all training images to each sample, and to each held-out image; searched for once.

    Raises:
        ValueError: where there are more training images than `neighbor_images`.
    """
    count = subject.count("train")
    if count > subject.neighbor_images:
        raise ValueError(
            f"Copies are looked for among {subject.neighbor_images:,} training images at most, and this run has "
            f"{count:,}; give neighbor_images={count} (--neighbor-images) to compare samples with all of them"
        )
    num = min(len(subject.generated), len(real.judged)) if real.held_out else len(subject.generated)
    held_out = real.judged[:num] if real.held_out else None
    return subject.once(
        "training neighbors", lambda: nearest_neighbours(subject.generated[:num], training_blocks(subject), held_out)
    )


def training_blocks(subject: Subject) -> Iterator[np.ndarray]:
    """All training images, not augmented, before binarization, some at a time: float32 [some, height, width, channels].

    A batch of training is too small for an efficient search.
    """
    dataset, total = subject.dataset("train", binarize=None), subject.count("train")
    pending, done = [], 0
    subject.progress("comparing samples with all training images", done, total)
    for batch in dataset.as_numpy_iterator():
        pending.append(batch["image"])
        if sum(part.nbytes for part in pending) >= BLOCK_BYTES:
            yield np.concatenate(pending)
            done += sum(map(len, pending))
            subject.progress("comparing samples with all training images", done, total)
            pending = []
    if pending:
        yield np.concatenate(pending)


def generated(subject: Subject) -> np.ndarray:
    """64 generated images, as a picture, with the names of their classes where these have any."""
    labels = subject.conditions(subject.samples).get("label")
    names = None if labels is None else subject.model.names_of(labels[:64])
    return pictures.grid(subject.generated[:64], columns=8, scale=subject.zoom, labels=names)


def neighbours(subject: Subject) -> np.ndarray:
    """32 generated images, each next to the nearest of all training images, as a picture."""
    found = training_neighbours(subject, real_images(subject))
    shown = min(32, len(found.nearest))
    return pictures.pairs(subject.generated[:shown], found.nearest[:shown], columns=4, scale=subject.zoom)
