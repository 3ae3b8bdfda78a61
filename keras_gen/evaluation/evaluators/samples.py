"""Metrics of a run's samples: distances to real images, memorization, Parzen windows and mode coverage."""

import dataclasses
import functools
from collections.abc import Iterable, Iterator

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext
from ..features.extractors import Features, feature_extractor
from ..features.of_run import DEFAULT, PYRAMID, extractors, is_stacked, label_classifier, single_images
from ..metrics.memorization import NearestNeighbors, nearest_neighbors
from ..metrics.mode_coverage import mode_coverage, modes_floor
from ..metrics.names import score_name
from ..metrics.parzen import parzen
from ..metrics.sample_quality import sample_quality
from ..seeding import seeded_generator
from ..types import About, Metrics

# training images that are compared with samples at a time
BLOCK_BYTES = 2**26

# images on which the Parzen windows' sigma is chosen; the papers used 1,000 or more
PARZEN_VALIDATION_IMAGES = 1000

# kinds of features in which the nearest training images are searched, the first one always; others would need too long
# for all training images
NEIGHBOR_FEATURES = (DEFAULT, "pixels")

DISTANCE = "root mean square over {}"
PROBABILITY = "probability, 0 to 1; 0.5 for new images, 1 for copies"


@dataclasses.dataclass(frozen=True)
class RealImages:
    """Real images that samples are compared with, before binarization (samples are means), in random order.

    Attributes:
        reference: images of the evaluated split, float32 [num, height, width, channels].
        floor: images of the training split, none of which is in `reference`.
        held_out: whether `reference` is held out from training.
    """

    reference: np.ndarray
    floor: np.ndarray
    held_out: bool


def real_images(context: EvaluationContext) -> RealImages:
    """Returns at most `samples` images of the evaluated split and `max_images` of the training split.

    Any prefix of each is a random choice. Where the training split itself is evaluated, one half of its images is the
    reference and the other half the floor.
    """
    generator = seeded_generator(context.seed)
    train = context.batch(context.max_images, role="train", binarize=None)["image"]
    if context.split == "train":
        train = train[generator.permutation(len(train))]
        half = len(train) // 2
        return RealImages(train[:half][: context.samples], train[half:], held_out=False)
    reference = context.batch(context.samples, binarize=None)["image"]
    reference = reference[generator.permutation(len(reference))]
    return RealImages(reference, train[generator.permutation(len(train))], held_out=True)


def samples(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes the requested scores of the samples, their diversity, and whether they are copies of training images.

    See `sample_quality` and `memorization_scores`.
    """
    return sample_metrics(context, real_images(context))


def sample_metrics(context: EvaluationContext, real: RealImages) -> tuple[Metrics, About]:
    """Computes the metrics of `samples` against given real images; the smallest set limits the number of images.

    Args:
        context: of the run.
        real: real images, possibly of another run on the same data.

    Returns:
        (metrics, about).

    Raises:
        ValueError: for generated images with NaN or infinity.
    """
    generated = context.generated_images
    if num_invalid := np.count_nonzero(~np.isfinite(generated).all(axis=(1, 2, 3))):
        raise ValueError(
            f"Expected finite generated images; received NaN or infinity in {num_invalid} of {len(generated)}"
        )
    metrics, about = sample_quality(
        generated,
        real.reference,
        real.floor,
        extractors(context),
        pyramid=PYRAMID in context.features,
        split=context.split,
        seed=context.seed,
        progress=context.progress,
    )
    for features in NEIGHBOR_FEATURES:
        if features not in (DEFAULT, *context.features):
            continue
        try:
            values, notes = _memorization_metrics(
                training_neighbors(context, real, features), features=features, split=context.split
            )
        except ValueError as error:
            names = _memorization_names(features, _num_compared(context, real))
            common = {"images": context.count("train"), "samples": len(generated), "reason": str(error)}
            values = dict.fromkeys(names)
            distance = DISTANCE.format(features)
            notes = {name: {"unit": PROBABILITY if name == names[2] else distance, **common} for name in names}
        metrics, about = metrics | values, about | notes
    return metrics, about


def memorization_scores(
    generated: np.ndarray,
    train: np.ndarray | Iterable[np.ndarray],
    held_out: np.ndarray | None,
    *,
    features: Features | None = None,
    split: str = "test",
) -> tuple[Metrics, About]:
    """Compares the distances of samples and of held-out real images to their nearest training images.

    `nearest_small_v1_1000_train` is the mean distance (root mean square over features) of 1,000 samples to their
    nearest training images, `..._floor` the same of as many real images, and `closer_small_v1_1000_train` the
    probability that a sample is closer than a real image. Copies have a distance far below the floor. In pixels,
    blurred samples are closer than real images without being copies.

    Args:
        generated: generated images [num, height, width, channels].
        train: all training images, or blocks of them.
        held_out: real images of the split that are held out from training, or None.
        features: features in which distances are measured; None is `small_v1`.
        split: the split of `held_out`.

    Returns:
        (metrics, about).
    """
    num = len(generated) if held_out is None else min(len(generated), len(held_out))
    features = features or feature_extractor(DEFAULT)
    held_out = None if held_out is None else held_out[:num]
    neighbors = nearest_neighbors(generated[:num], train, held_out, extract=features)
    return _memorization_metrics(neighbors, features=features.name, split=split)


def _memorization_names(features: str, num: int) -> tuple[str, str, str]:
    """Returns the names of mean distance, floor and probability for a number of samples."""
    name, probability = (score_name(metric, features, num, "train") for metric in ("nearest", "closer"))
    return name, f"{name}_floor", probability


def _memorization_metrics(neighbors: NearestNeighbors, *, features: str, split: str) -> tuple[Metrics, About]:
    names = _memorization_names(features, len(neighbors.distances))
    name, floor, probability = names
    sizes = {"images": neighbors.train, "samples": len(neighbors.distances)}
    train = f"all {neighbors.train:,} training images"
    unit = DISTANCE.format(features)
    about: About = {
        name: {"unit": unit, **sizes, "note": f"distance of a sample to the nearest of {train}"},
        floor: {"unit": unit, **sizes, "note": f"distance of a {split} image to the nearest of {train}"},
        probability: {"unit": PROBABILITY, **sizes, "note": f"that a sample is closer to them than a {split} image"},
    }
    distance = float(neighbors.distances.mean())
    if neighbors.held_out is None:
        for missing in (floor, probability):
            about[missing]["reason"] = f"the images of the {split} split are not held out from training"
        return {name: distance, floor: None, probability: None}, about
    about[probability]["standard_error"] = neighbors.closer_error
    return {name: distance, floor: float(neighbors.held_out.mean()), probability: neighbors.closer}, about


def _num_compared(context: EvaluationContext, real: RealImages) -> int:
    num = len(context.generated_images)
    return min(num, len(real.reference)) if real.held_out else num


def training_neighbors(context: EvaluationContext, real: RealImages, features: str = DEFAULT) -> NearestNeighbors:
    """Returns the nearest training image of each sample and of each held-out image; the search runs only once.

    Args:
        context: of the run.
        real: the held-out images.
        features: one of `NEIGHBOR_FEATURES`, in which distances are measured.

    Raises:
        ValueError: for more training images than `neighbor_images`.
    """
    count = context.count("train")
    if count > context.neighbor_images:
        raise ValueError(
            f"Expected at most {context.neighbor_images:,} training images in the search for nearest neighbors; "
            f"received {count:,}. Set neighbor_images={count} (--neighbor-images) to search all of them"
        )
    num = _num_compared(context, real)
    held_out = real.reference[:num] if real.held_out else None
    return context.cached(
        ("training neighbors", features),
        lambda: nearest_neighbors(
            context.generated_images[:num], training_blocks(context), held_out, extract=feature_extractor(features)
        ),
    )


def training_blocks(context: EvaluationContext) -> Iterator[np.ndarray]:
    """Yields all training images, without augmentation and before binarization, in large blocks.

    A training batch is too small for an efficient search.

    Yields:
        float32 [rows, height, width, channels].
    """
    activity = "comparing samples with all training images"
    dataset, total = context.dataset("train", binarize=None), context.count("train")
    pending, done = [], 0
    context.progress(activity, done, total)
    for batch in dataset.as_numpy_iterator():
        pending.append(batch["image"])
        if sum(part.nbytes for part in pending) >= BLOCK_BYTES:
            yield np.concatenate(pending)
            done += sum(map(len, pending))
            context.progress(activity, done, total)
            pending = []
    if pending:
        yield np.concatenate(pending)


def parzen_windows(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `parzen_pixels_10k_test` of 10,000 samples, and as its floor the value of as many training images.

    Images are used before binarization. See `parzen` for why this is not a log-likelihood; it is computed on request
    only. It is null without a validation split, on which sigma is chosen, and where that split is evaluated.
    """
    if not context.parzen:
        return {}, {}
    real = real_images(context)
    num = min(len(context.generated_images), len(real.floor))
    name = score_name("parzen", "pixels", num, context.split)
    note = "for tables of 2014 to 2016 only; not a log-likelihood, and not comparable with one"
    common = {"unit": "nats per image", "samples": num}
    about: About = {
        name: {**common, "note": note},
        f"{name}_floor": {**common, "note": f"training images as samples; {note}"},
    }
    try:
        if context.split == "validation":
            raise ValueError("sigma would be chosen on the evaluated split, validation")
        validation = context.batch(PARZEN_VALIDATION_IMAGES, role="validation", binarize=None)["image"]
        test = context.batch(context.max_images, binarize=None)["image"]
        progress = functools.partial(context.progress, "Parzen windows")
        result = parzen(context.generated_images[:num], real.floor[:num], validation, test, progress=progress)
    except ValueError as error:
        for notes in about.values():
            notes["reason"] = str(error)
        return dict.fromkeys(about), about
    sizes = {"images": len(test), "validation_images": len(validation)}
    about[name] |= {**sizes, "standard_error": result.error, "sigma": result.sigma}
    about[f"{name}_floor"] |= {**sizes, "standard_error": result.train_error, "sigma": result.train_sigma}
    return {name: result.value, f"{name}_floor": result.train_value}, about


def stacked_modes(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `modes_classifier_26k` and `kl_classifier_26k` of 26,000 samples of stacked digits, with their floors.

    A classifier of single digits is applied to each channel. The frequencies of the modes in the data, the reference
    of KL(generated || data), are known exactly: each channel is an independent, uniform choice from the training
    digits. Other data have neither metric. See `mode_coverage`; papers use 26,000 samples.
    """
    if not is_stacked(context):
        return {}, {}
    classifier = label_classifier(context)
    channels, columns = context.generated_images.shape[3], []
    for channel in range(channels):
        context.progress("classifying channels", channel, channels)
        columns.append(classifier.classify(context.generated_images[..., [channel]]))
    classes = np.stack(columns, axis=1)
    num_classes = classifier.network.output_shape[-1]
    labels = np.concatenate([batch["label"] for batch in single_images(context, "train").as_numpy_iterator()])
    single = np.bincount(labels, minlength=num_classes) / len(labels)
    data = functools.reduce(np.outer, [single] * classes.shape[1]).reshape(-1)
    coverage = mode_coverage(classes, num_classes=num_classes, data=data)
    floor = modes_floor(coverage.samples, len(data), data=data, seed=context.seed)
    modes, kl = (score_name(metric, "classifier", coverage.samples) for metric in ("modes", "kl"))
    features = f"classifier {classifier.key[:12]}, accuracy {classifier.accuracy:.4f} on single images"
    common = {"samples": coverage.samples, "features": features}
    simulated = {
        "samples": coverage.samples,
        "note": f"of {coverage.samples:,} samples from the data's own modes, by simulation",
    }
    metrics = {modes: coverage.covered, f"{modes}_floor": floor.covered, kl: coverage.kl, f"{kl}_floor": floor.kl}
    unit = f"modes of {len(data):,}"
    about: About = {
        modes: {"unit": unit, **common, "note": "modes with at least one sample"},
        f"{modes}_floor": {"unit": unit, **simulated, "standard_deviation": floor.covered_std},
        kl: {"unit": "nats", **common, "note": "KL(generated || data) of the frequencies of the modes"},
        f"{kl}_floor": {"unit": "nats", **simulated, "standard_deviation": floor.kl_std},
    }
    return metrics, about


def sample_picture(context: EvaluationContext) -> np.ndarray:
    """Draws 64 generated images, with the names of their classes if any: uint8 [height, width, channels]."""
    labels = context.conditions(context.samples).get("label")
    names = None if labels is None else context.model.names_of(labels[:64])
    return pictures.grid(context.generated_images[:64], columns=8, scale=context.zoom, labels=names)


def neighbor_picture(context: EvaluationContext) -> np.ndarray:
    """Draws 32 generated images, each next to its nearest training image: uint8 [height, width, channels]."""
    neighbors = training_neighbors(context, real_images(context))
    num = min(32, len(neighbors.nearest))
    return pictures.pairs(context.generated_images[:num], neighbors.nearest[:num], columns=4, scale=context.zoom)
