"""Categories that a model learned without labels, used as a classifier of the data's classes."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.models.core.protocols import SemiSupervised

from ..context import EvaluationContext
from ..metrics.standard_error import standard_error
from ..types import About, Metrics

ENDPOINTS = ("infer", "classify")
UNIT = "fraction of images, 0 to 1"


def majority_classes(categories: np.ndarray, labels: np.ndarray, num_categories: int) -> np.ndarray:
    """Returns the most frequent class of each category.

    Args:
        categories: categories of labeled images, integers [num].
        labels: their classes, integers [num], >= 0.
        num_categories: number of categories.

    Returns:
        int64 [num_categories]; the lower class for a tie, -1 for a category without images.
    """
    counts = np.zeros((num_categories, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (categories, labels), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def confident_classes(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the class of the most confident image of each category.

    Args:
        probabilities: of the categories of labeled images [num, categories].
        labels: classes of the images, integers [num].

    Returns:
        int64 [categories]; the class of the first image for a tie.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 6: for each cluster
        i, the validation example x_n that maximizes q(y_i | x_n) gives its label to all points of the cluster.
    """
    return labels[probabilities.argmax(axis=0)].astype(np.int64)


def category_error(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `category_error_test` and, for clusters, `cluster_error_test`: the error of categories as a classifier.

    The category of an image is its most probable one. The class of a category is:

    - `category_error`, for categories that are learned without labels: the most frequent class of the training images
      in the category (without any, its images count as errors). InfoGAN's paper matches each category to a digit and
      does not state how.
    - `category_error`, for a semi-supervised model trained with labels: category k is class k.
    - `cluster_error`, for a semi-supervised model trained without labels, as in its paper: the class of the most
      confident image of the category, among the validation images, or among the training images where the validation
      split is missing or evaluated.

    `..._baseline` is the error of the most frequent class for every image. All are null for data without classes.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, section 7.2. Makhzani et al. 2015, arXiv:1511.05644,
        sections 5 (semi-supervised) and 6 (clustering).
    """
    model, split = context.model, context.split
    semi_supervised = isinstance(model, SemiSupervised)
    clusters, supervised = semi_supervised and not model.supervised, semi_supervised and model.supervised
    names = [f"category_error_{split}", *([f"cluster_error_{split}"] if clusters else [])]
    batch = context.batch(context.max_images)
    labels = batch.get("label")
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        source = context.run.config["data"]["source"]
        reason = {"unit": UNIT, "images": len(batch["image"]), "reason": f"{source} has no class labels"}
        names += [f"{name}_baseline" for name in names]
        return dict.fromkeys(names), {name: dict(reason) for name in names}
    categories = category_probabilities(context, batch).argmax(axis=1)
    most_frequent = int(np.bincount(labels).argmax())
    common: dict[str, Any] = {"unit": UNIT, "images": len(labels)}
    metrics: Metrics = {}
    about: About = {}

    def add_error(name: str, classes: np.ndarray, note: str) -> None:
        errors = classes[categories] != labels
        metrics[name], metrics[f"{name}_baseline"] = float(errors.mean()), float(np.mean(labels != most_frequent))
        note = f"{model.num_categories} {note}"
        about[name] = {**common, "standard_error": standard_error(errors), "note": note}
        about[f"{name}_baseline"] = {**common, "note": f"class {most_frequent} for every image"}

    if supervised:
        add_error(names[0], np.arange(model.num_categories), "categories, which are the classes")
        return metrics, about
    train = context.batch(context.max_images, role="train")
    probabilities = category_probabilities(context, train)
    classes = majority_classes(probabilities.argmax(axis=1), train["label"], model.num_categories)
    note = f"categories, each its most frequent class among {len(train['label']):,} training images"
    add_error(names[0], classes, note)
    if clusters:
        role = "validation" if context.run.config["data"]["splits"].get("validation") else "train"
        if split == "validation":
            role = "train"
        labeled = context.batch(context.max_images, role=role)
        if role != "train":
            probabilities = category_probabilities(context, labeled)
        images = f"{len(labeled['label']):,} {'training' if role == 'train' else role} images"
        note = f"clusters, each the class of the most confident of {images}"
        add_error(names[1], confident_classes(probabilities, labeled["label"]), note)
    return metrics, about


def category_probabilities(context: EvaluationContext, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the probabilities of the categories of images, float32 [num, categories], from the model's endpoint."""
    endpoint = next(endpoint for endpoint in context.model.endpoints() if endpoint.name in ENDPOINTS)
    compiled = tf.function(lambda image: endpoint.function(image=image)["category"], reduce_retracing=True)
    return map_batches(
        lambda rows: compiled(tf.constant(batch["image"][rows])),
        len(batch["image"]),
        context.batch_size,
        lambda done, total: context.progress("inferring categories", done, total),
    )
