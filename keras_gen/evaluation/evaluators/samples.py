"""How good a run's samples are, beside real images."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext
from ..features.of_run import PYRAMID, extractors
from ..metrics.memorization import NearestNeighbours, nearest_neighbors
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


def real_images(context: EvaluationContext) -> RealImages:
    """At most `samples` images of the evaluated split and `max_images` of the training split.

    A prefix of each is a random choice, not what comes first in the data's order. Where the training split itself is
    evaluated, one half of its images is judged by and the other half is the floor.
    """
    generator = np.random.Generator(np.random.Philox(key=context.seed))
    train = context.batch(context.max_images, role="train", binarize=None)["image"]
    if context.split == "train":
        train = train[generator.permutation(len(train))]
        half = len(train) // 2
        return RealImages(train[:half][: context.samples], train[half:], held_out=False)
    judged = context.batch(context.samples, binarize=None)["image"]
    judged, train = judged[generator.permutation(len(judged))], train[generator.permutation(len(train))]
    return RealImages(judged, train, held_out=True)


def samples(context: EvaluationContext) -> tuple[dict, dict]:
    """Distances and shares of the samples by the features that were asked for, their diversity, and whether they are
    copies of training images; see `sample_quality` and `copy_scores`.
    """
    return sample_metrics(context, real_images(context))


def sample_metrics(context: EvaluationContext, real: RealImages) -> tuple[dict, dict]:
    """The metrics of `samples`, of as many generated and real images as there are of the fewest.

    Returns:
        (metrics, about).

    Raises:
        ValueError: where generated images hold NaN or infinity.
    """
    made = context.generated
    if broken := np.count_nonzero(~np.isfinite(made).all(axis=(1, 2, 3))):
        raise ValueError(f"{broken} of {len(made)} generated images hold NaN or infinity")
    metrics, about = sample_quality(
        made,
        real.judged,
        real.floor,
        extractors(context),
        pyramid=PYRAMID in context.features,
        split=context.split,
        seed=context.seed,
        progress=context.progress,
    )
    try:
        values, notes = neighbour_scores(training_neighbors(context, real), split=context.split)
    except ValueError as error:
        names = copy_names(min(len(made), len(real.judged)) if real.held_out else len(made))
        sizes = {"images": context.count("train"), "samples": len(made), "reason": str(error)}
        values = dict.fromkeys(names)
        notes = {name: {"unit": CHANCE if name == names[2] else DISTANCE, **sizes} for name in names}
    return metrics | values, about | notes


def training_neighbors(context: EvaluationContext, real: RealImages) -> NearestNeighbours:
    """The nearest of all training images to each sample, and to each held-out image; searched for once.

    Raises:
        ValueError: where there are more training images than `neighbor_images`.
    """
    count = context.count("train")
    if count > context.neighbor_images:
        raise ValueError(
            f"Copies are looked for among {context.neighbor_images:,} training images at most, and this run has "
            f"{count:,}; give neighbor_images={count} (--neighbor-images) to compare samples with all of them"
        )
    num = min(len(context.generated), len(real.judged)) if real.held_out else len(context.generated)
    held_out = real.judged[:num] if real.held_out else None
    return context.once(
        "training neighbors", lambda: nearest_neighbors(context.generated[:num], training_blocks(context), held_out)
    )


def training_blocks(context: EvaluationContext) -> Iterator[np.ndarray]:
    """All training images, not augmented, before binarization, some at a time: float32 [some, height, width, channels].

    A batch of training is too small for an efficient search.
    """
    dataset, total = context.dataset("train", binarize=None), context.count("train")
    pending, done = [], 0
    context.progress("comparing samples with all training images", done, total)
    for batch in dataset.as_numpy_iterator():
        pending.append(batch["image"])
        if sum(part.nbytes for part in pending) >= BLOCK_BYTES:
            yield np.concatenate(pending)
            done += sum(map(len, pending))
            context.progress("comparing samples with all training images", done, total)
            pending = []
    if pending:
        yield np.concatenate(pending)


def generated(context: EvaluationContext) -> np.ndarray:
    """64 generated images, as a picture, with the names of their classes where these have any."""
    labels = context.conditions(context.samples).get("label")
    names = None if labels is None else context.model.names_of(labels[:64])
    return pictures.grid(context.generated[:64], columns=8, scale=context.zoom, labels=names)


def neighbors(context: EvaluationContext) -> np.ndarray:
    """32 generated images, each next to the nearest of all training images, as a picture."""
    found = training_neighbors(context, real_images(context))
    shown = min(32, len(found.nearest))
    return pictures.pairs(context.generated[:shown], found.nearest[:shown], columns=4, scale=context.zoom)
