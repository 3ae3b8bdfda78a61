"""Categories that a model found by itself, used as a classifier of the data's classes."""

import numpy as np
import tensorflow as tf

from ..context import EvaluationContext
from ..metrics.standard_error import standard_error

ENDPOINTS = ("infer", "classify")
UNIT = "share of images, 0 to 1"


def majority_classes(categories: np.ndarray, labels: np.ndarray, num_categories: int) -> np.ndarray:
    """Each category's most frequent class.

    Args:
        categories: the categories of labeled images, integers [num].
        labels: their classes, integers [num], >= 0.
        num_categories: how many categories there are.

    Returns:
        int64 [num_categories]; the lower class where two are as frequent, -1 for a category that no image has.
    """
    counts = np.zeros((num_categories, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (categories, labels), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def confident_classes(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The class of each category's most confident image.

    Args:
        probabilities: of the categories of labeled images [num, categories].
        labels: their classes, integers [num].

    Returns:
        int64 [categories]; of equally confident images, the first one's.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 6: for each cluster
        i, the validation example x_n that maximizes q(y_i | x_n) gives its label to all points of the cluster.
    """
    return labels[probabilities.argmax(axis=0)].astype(np.int64)


def category_error(context: EvaluationContext) -> tuple[dict, dict]:
    """`category_error_test` and, for clusters, `cluster_error_test`: categories as a classifier, the share of errors.

    An image's category is the most probable one. What class a category stands for:

    - `category_error`, of a model that finds the categories by itself: the class that is most frequent among the
      training images of the category (an image whose category has none counts as an error). InfoGAN's paper matches
      each category to a digit and does not say how.
    - `category_error`, of an adversarial autoencoder with labels (`supervised`): category k is class k.
    - `cluster_error`, of an adversarial autoencoder without labels, as its paper has it: the class of the image that
      is most confidently of this category, among the validation images, or the training images where there is no
      other validation split.

    `..._baseline` is the error of the class that most images have, which no image needs to be looked at for. All are
    null, with the reason, for data without classes.

    Reference:
        Chen et al. 2016, InfoGAN, arXiv:1606.03657, section 7.2. Makhzani et al. 2015, arXiv:1511.05644,
        sections 5 (semi-supervised) and 6 (clustering).
    """
    model, split = context.model, context.split
    clusters = hasattr(model, "supervised") and not model.supervised
    names = [f"category_error_{split}", *([f"cluster_error_{split}"] if clusters else [])]
    batch = context.batch(context.max_images)
    labels = batch.get("label")
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        source = context.run.config["data"]["source"]
        reason = {"unit": UNIT, "images": len(batch["image"]), "reason": f"{source} has no class labels"}
        names += [f"{name}_baseline" for name in names]
        return dict.fromkeys(names), {name: dict(reason) for name in names}
    chosen = probabilities(context, batch).argmax(axis=1)
    common, most_frequent = {"images": len(labels)}, int(np.bincount(labels).argmax())
    metrics, about = {}, {}

    def report(name: str, classes: np.ndarray, how: str) -> None:
        wrong = classes[chosen] != labels
        metrics[name], metrics[f"{name}_baseline"] = float(wrong.mean()), float(np.mean(labels != most_frequent))
        notes = {"standard_error": standard_error(wrong), "note": f"{model.num_categories} {how}"}
        about[name] = {"unit": UNIT, **common, **notes}
        about[f"{name}_baseline"] = {"unit": UNIT, **common, "note": f"class {most_frequent} for every image"}

    if getattr(model, "supervised", False):
        report(names[0], np.arange(model.num_categories), "categories, which are the classes")
        return metrics, about
    train = context.batch(context.max_images, role="train")
    found = probabilities(context, train)
    classes = majority_classes(found.argmax(axis=1), train["label"], model.num_categories)
    report(names[0], classes, f"categories, each its most frequent class among {len(found):,} training images")
    if clusters:
        role = "validation" if context.run.config["data"]["splits"].get("validation") else "train"
        if split == "validation":
            role = "train"
        known = context.batch(context.max_images, role=role)
        classes = confident_classes(found if role == "train" else probabilities(context, known), known["label"])
        examples = f"{len(known['label']):,} {'training' if role == 'train' else role} images"
        report(names[1], classes, f"clusters, each the class of the most confident of {examples}")
    return metrics, about


def probabilities(context: EvaluationContext, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Probabilities of the categories of a batch's images, float32 [num, categories], by the model's endpoint."""
    endpoint = next(endpoint for endpoint in context.model.endpoints() if endpoint.name in ENDPOINTS)
    compiled = tf.function(lambda image: endpoint.function(image=image)["category"], reduce_retracing=True)
    parts = []
    for start in range(0, len(batch["image"]), context.batch_size):
        context.progress("finding categories", start, len(batch["image"]))
        parts.append(compiled(tf.constant(batch["image"][start : start + context.batch_size])).numpy())
    return np.concatenate(parts)
