"""Metrics of translation between attributes: classification errors and cycle consistency."""

import functools
from typing import Any

import numpy as np

from keras_gen import pictures
from keras_gen.batching import map_batches

from ..context import EvaluationContext
from ..features.classifier import SETTINGS, feature_classifier
from ..metrics.standard_error import standard_error
from ..seeding import seeded_permutation
from ..types import About, Metrics
from .reconstruction import psnr

UNIT = "fraction of images, 0 to 1"
IDENTITY = "of the input images: the identity as translation"
MAX_GROUPS = 12  # a classifier is trained for each group
MIN_TRAINING_IMAGES = 20_000  # a classifier sees at least so many images, a small set in more epochs
NUM_PICTURED = 8


def attribute_translation(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes how well translations show their target attributes, and how well they preserve the image.

    Each image is translated to the attributes of another image of the split (of the same dataset). For each group of
    attributes an evaluation classifier, `feature_classifier`, is trained on the run's real training images:

    - `classifier_error_real_GROUP`: its error on the real images of the split.
    - `classifier_error_translated_GROUP`: its error on translations, relative to their targets, and `..._baseline`, the
      same for the input images. Where an attribute is rare, most images have the target's value already and the
      identity has a small error, so compare both.
    - `cycle_error`: the mean absolute difference between an image and its translation to the target and back to its own
      attributes; `cycle_psnr`, in dB, uses the mean squared difference. The identity has the baselines 0 and 100 dB:
      both are informative only together with the classification errors.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, section 5 (classification error of translated images).
    """
    model, schema = context.model, context.model.attribute_schema
    batch, train = context.batch(context.max_images), context.batch(context.max_images, role="train")
    images = batch["image"]
    attributes, train_attributes = (np.asarray(model.attributes_of(part)) for part in (batch, train))
    datasets, train_datasets = (_datasets_of(part) for part in (batch, train))
    target = attributes[shuffle_within_datasets(datasets, context.seed)]
    translated = _translate(context, images, target, datasets)
    reconstructed = _translate(context, translated, attributes, datasets)
    metrics, about = _cycle_metrics(images, reconstructed, context.split)
    for group, size in list(enumerate(schema.groups))[:MAX_GROUPS]:
        entries = np.flatnonzero(schema.group_of == group)
        names = [schema.names[entry] for entry in entries]
        group_title = names[0] if size == 1 else group_name(names, group)
        rows, train_rows = (schema.known_groups[each, group] > 0 for each in (datasets, train_datasets))
        values, notes = _classifier_errors(
            context,
            group_title,
            (train["image"][train_rows], _classes_of(train_attributes[train_rows][:, entries])),
            (images[rows], _classes_of(attributes[rows][:, entries])),
            (translated[rows], _classes_of(target[rows][:, entries])),
        )
        metrics |= values
        about |= notes
    return metrics, about


def shuffle_within_datasets(datasets: np.ndarray, seed: int) -> np.ndarray:
    """Returns a random permutation of examples that moves each one only within its dataset.

    Args:
        datasets: the dataset of each example, integers [num].
        seed: seed of the order.

    Returns:
        for every example the index of another one of its dataset, int64 [num].
    """
    order = seeded_permutation(len(datasets), seed)
    permutation = np.empty(len(datasets), np.int64)
    permutation[np.argsort(datasets, kind="stable")] = order[np.argsort(datasets[order], kind="stable")]
    return permutation


def group_name(names: list[str], group: int) -> str:
    """Returns the common prefix of exclusive domains, or the group's number.

    Example:
        >>> group_name(["color=red", "color=blue"], 1)
        'color'
    """
    prefixes = {name.split("=")[0] for name in names if "=" in name}
    return prefixes.pop() if len(prefixes) == 1 else f"group_{group}"


def attribute_translation_picture(context: EvaluationContext) -> np.ndarray:
    """Draws images of the split with their translations into every domain: uint8 [height, width, channels]."""
    columns = next(iter(context.model.preview_images(context.batch(NUM_PICTURED)).values()))
    return pictures.hstack(
        {name: pictures.grid(images, columns=1, scale=context.zoom) for name, images in columns.items()}, pad=2
    )


def _datasets_of(batch: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(batch.get("dataset", np.zeros(len(batch["image"]), np.int32)))


def _classes_of(group: np.ndarray) -> np.ndarray:
    """Returns the classes, int64 [num], of a one-hot group [num, size] or of a binary attribute [num, 1]."""
    return (group.argmax(1) if group.shape[1] > 1 else group[:, 0] > 0.5).astype(np.int64)


def _translate(
    context: EvaluationContext, images: np.ndarray, attributes: np.ndarray, datasets: np.ndarray
) -> np.ndarray:
    """Returns the translations of images by the model's `call`, which adds the mask of the dataset."""

    def translate(rows: slice) -> Any:
        return context.model({"image": images[rows], "attributes": attributes[rows], "dataset": datasets[rows]})

    return map_batches(
        translate, len(images), context.batch_size, functools.partial(context.progress, "translating images")
    )


def _cycle_metrics(images: np.ndarray, reconstructed: np.ndarray, split: str) -> tuple[Metrics, About]:
    error, psnr_name = f"cycle_error_{split}", f"cycle_psnr_{split}"
    metrics = {
        error: float(np.abs(reconstructed - images).mean()),
        f"{error}_baseline": 0.0,
        psnr_name: float(np.mean(psnr(images, reconstructed))),
        f"{psnr_name}_baseline": float(np.mean(psnr(images, images))),
    }
    units = {error: "mean absolute difference, images in [0, 1]", psnr_name: "dB"}
    about: About = {}
    for name, unit in units.items():
        about[name] = {"unit": unit, "images": len(images)}
        about[f"{name}_baseline"] = {"unit": unit, "images": len(images), "note": IDENTITY}
    return metrics, about


def _classifier_errors(
    context: EvaluationContext,
    group: str,
    train: tuple[np.ndarray, np.ndarray],
    real: tuple[np.ndarray, np.ndarray],
    translated: tuple[np.ndarray, np.ndarray],
) -> tuple[Metrics, About]:
    """Returns the errors of a classifier of one group of attributes on real, translated and input images.

    Args:
        context: of the run.
        group: name of the group, in the metrics.
        train: images and classes that the classifier is trained on.
        real: images and classes of the split.
        translated: translations of these images, and their target classes.
    """
    names = [f"classifier_error_{kind}_{group}_{context.split}" for kind in ("real", "translated")]
    names.append(f"{names[1]}_baseline")
    (images, classes), (translations, targets), train_classes = real, translated, train[1]
    if len(images) == 0 or len(np.unique(train_classes)) < 2 or classes.max() > train_classes.max():
        reason = "the training images have only one class of this group"
        about: About = {name: {"unit": UNIT, "images": len(images), "reason": reason} for name in names}
        return dict.fromkeys(names), about
    epochs = max(SETTINGS["epochs"], -(-MIN_TRAINING_IMAGES // len(train_classes)))
    classifier = feature_classifier(
        train,
        real,
        settings={"epochs": epochs},
        progress=functools.partial(context.progress, f"training the classifier of {group}: batches"),
    )
    errors = {
        names[0]: classifier.classify(images) != classes,
        names[1]: classifier.classify(translations) != targets,
        names[2]: classifier.classify(images) != targets,
    }
    about = {
        name: {"unit": UNIT, "images": len(wrong), "standard_error": standard_error(wrong)}
        for name, wrong in errors.items()
    }
    about[names[2]]["note"] = IDENTITY
    return {name: float(wrong.mean()) for name, wrong in errors.items()}, about
