"""Metrics of translation between two domains: distances, classes, cycle consistency and errors to counterfactuals."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gen import data, pictures
from keras_gen.batching import map_batches
from keras_gen.data import FACTORS, Factors

from ..context import EvaluationContext
from ..features.classifier import LabeledImages, feature_classifier
from ..features.extractors import feature_extractor
from ..features.of_run import DEFAULT
from ..metrics.counterfactual_error import counterfactual_errors, counterfactuals
from ..metrics.domain_transfer import domain_transfer
from ..metrics.frechet_distance import frechet_distance
from ..metrics.names import score_name
from ..metrics.standard_error import standard_error
from ..types import About, Metrics

OTHER_DOMAIN = {"a": "b", "b": "a"}
DIRECTIONS = ("a_to_b", "b_to_a")
ERROR_UNIT = "mean absolute error, range 0 to 1"
ACCURACY_UNIT = "fraction of images, 0 to 1"
NUM_COUNTERFACTUAL_IMAGES = 500  # images of `shapes`, each with up to 32 counterfactuals
NUM_PICTURED = 8


def cycle_consistency(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `cycle_error_a` and `_b`: mean absolute error of images after a round trip through the other domain.

    Training minimizes this error, and it says little by itself: the identity has the `..._baseline`, 0.
    """
    batch = context.batch(context.max_images)
    metrics: Metrics = {}
    about: About = {}
    for domain in "ab":
        images = batch[f"domain_{domain}"]
        reconstructed = translate(context, translate(context, images, domain), OTHER_DOMAIN[domain])
        name = f"cycle_error_{domain}"
        metrics[name] = float(np.abs(images - reconstructed).mean())
        about[name] = {"unit": ERROR_UNIT, "images": len(images)}
        if images.shape == reconstructed.shape:
            metrics[f"{name}_baseline"] = 0.0
            about[f"{name}_baseline"] = {**about[name], "note": "the identity as translation"}
    return metrics, about


def domain_accuracy(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `domain_accuracy_a_to_b` and `_b_to_a`, with `..._untranslated` and `..._real`.

    A classifier of the two domains is trained on real images; no other labels are needed. The accuracy is the fraction
    of translations that it assigns to the target domain, `..._untranslated` the same of the source images themselves,
    and `..._real` of real images of the target domain. It does not show whether a translation keeps its content.
    """
    names = [f"domain_accuracy_{d}{suffix}" for d in DIRECTIONS for suffix in ("", "_untranslated", "_real")]
    train, test = context.batch(context.max_images, role="train"), context.batch(context.max_images)
    reason = None
    if context.split == "train":
        reason = "the classifier is trained on the training split"
    elif train["domain_a"].shape[1:] != train["domain_b"].shape[1:]:
        reason = "the images of the domains differ in shape"
    if reason:
        return dict.fromkeys(names), {name: {"unit": ACCURACY_UNIT, "reason": reason} for name in names}
    classifier = feature_classifier(
        _labeled_domains(train),
        _labeled_domains(test),
        progress=functools.partial(context.progress, "training a classifier of the domains: batches"),
    )
    metrics: Metrics = {}
    about: About = {}
    for domain, direction in zip("ab", DIRECTIONS, strict=True):
        images, target = test[f"domain_{domain}"], "ab".index(OTHER_DOMAIN[domain])
        values = {
            "": translate(context, images, domain),
            "_untranslated": images,
            "_real": test[f"domain_{OTHER_DOMAIN[domain]}"],
        }
        for suffix, candidates in values.items():
            assigned = classifier.classify(candidates) == target
            name = f"domain_accuracy_{direction}{suffix}"
            metrics[name] = float(assigned.mean())
            about[name] = {
                "unit": ACCURACY_UNIT,
                "images": len(candidates),
                "training_images": 2 * len(train["domain_a"]),
                "features": f"classifier {classifier.key[:12]} of the domains, accuracy {classifier.accuracy:.4f}",
            }
    return metrics, about


def _labeled_domains(batch: dict[str, np.ndarray]) -> LabeledImages:
    """Returns the images of both domains, with the domain as the label: 0 is A, and 1 is B."""
    domains = [batch[f"domain_{domain}"] for domain in "ab"]
    return np.concatenate(domains), np.repeat([0, 1], [len(images) for images in domains])


def translation_distance(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `fd_small_v1_translated_500_test`: the Frechet distance of translations to real images of their domain.

    It is the mean of both directions, which are in the notes. The floor is the distance of other real images: of the
    training split, or, where that split is evaluated, of its other half.
    """
    features = feature_extractor(DEFAULT)
    batch = context.batch(context.max_images)
    num = len(batch["domain_a"])
    if context.split == "train":
        num //= 2
        batch, other = ({name: v[rows] for name, v in batch.items()} for rows in (slice(num), slice(num, 2 * num)))
    else:
        other = context.batch(context.max_images, role="train")
        num = min(num, len(other["domain_a"]))
    name = score_name("fd", f"{DEFAULT}_translated", num, context.split)
    distances: dict[str, list[float]] = {name: [], f"{name}_floor": []}
    for domain in "ab":
        target = f"domain_{OTHER_DOMAIN[domain]}"
        real = features(batch[target][:num])
        translated = translate(context, batch[f"domain_{domain}"][:num], domain)
        for key, images in zip(distances, (translated, other[target][:num]), strict=True):
            distances[key].append(frechet_distance(features(images), real, full_rank=False))
    metrics: Metrics = {key: float(np.mean(values)) for key, values in distances.items()}
    about: About = {
        key: {
            "unit": "squared feature",
            "images": num,
            "features": features.identity,
            "note": "mean of both directions",
            **dict(zip(DIRECTIONS, values, strict=True)),
        }
        for key, values in distances.items()
    }
    about[name] |= {"better": "lower", "how_to_read": features.how_to_read}
    return metrics, about


def transfer_accuracy(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `transfer_accuracy_a_to_b` and `_b_to_a`, with `..._untranslated` and `..._real`; see `domain_transfer`.

    Domains without labels of their own, such as the folders `trainA/` and `trainB/`, have none of these metrics:
    `domain_accuracy` needs no labels.
    """
    names = [f"transfer_accuracy_{d}{suffix}" for d in DIRECTIONS for suffix in ("", "_untranslated", "_real")]
    train, test = context.batch(context.max_images, role="train"), context.batch(context.max_images)
    if not {"label_a", "label_b"} <= set(train):
        return {}, {}
    if context.split == "train":
        reason = "the classifiers are trained on the training split"
        return dict.fromkeys(names), {name: {"unit": ACCURACY_UNIT, "reason": reason} for name in names}
    metrics: Metrics = {}
    about: About = {}
    for domain, direction in zip("ab", DIRECTIONS, strict=True):
        other = OTHER_DOMAIN[domain]
        source, target = ((train[f"domain_{d}"], train[f"label_{d}"]) for d in (domain, other))
        test_set = test[f"domain_{other}"], test[f"label_{other}"]
        accuracies = domain_transfer(
            (translate(context, source[0], domain), source[1]),
            source,
            target,
            test_set,
            seed=context.seed,
            progress=functools.partial(context.progress, f"training classifiers for {direction}: batches"),
        )
        values = {"": accuracies.translated, "_untranslated": accuracies.untranslated, "_real": accuracies.real}
        for suffix, value in values.items():
            name = f"transfer_accuracy_{direction}{suffix}"
            metrics[name] = value
            about[name] = {"unit": ACCURACY_UNIT, "images": len(test_set[1]), "training_images": len(source[0])}
            if value is None:
                about[name]["reason"] = "the images of the domains differ in shape"
    return metrics, about


def counterfactual_error(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `counterfactual_error_a_to_b` and `_b_to_a`, and `..._ratio`, relative to the identity's error.

    Only `shapes` has known counterfactuals; other data have none of these metrics.
    """
    options = context.run.config["data"]
    if options["source"].partition("/")[0] != "shapes" or not options.get("domains"):
        return {}, {}
    metrics: Metrics = {}
    about: About = {}
    factor = options.get("domain_field", "label")
    factor = "shape" if factor == "label" else factor
    class_a, class_b = (_class_index(factor, value) for value in options["domains"])
    split, image_shape = options["splits"][context.split], context.run.image_shape
    batch = load_shapes(split, image_shape, options.get("data_dir"), options["source"])
    factors = Factors.from_batch(batch)
    for domain, direction in zip("ab", DIRECTIONS, strict=True):
        source, target = (class_a, class_b) if domain == "a" else (class_b, class_a)
        rows = np.flatnonzero(getattr(factors, factor) == source)[:NUM_COUNTERFACTUAL_IMAGES]
        images, name = batch["image"][rows], f"counterfactual_error_{direction}"
        truths = counterfactuals(factors[rows], factor, target, image_shape)
        errors = counterfactual_errors(images, translate(context, images, domain), truths)
        metrics |= {
            name: float(errors.translation.mean()),
            f"{name}_baseline": float(errors.identity.mean()),
            f"{name}_ratio": errors.ratio,
        }
        common: dict[str, Any] = {
            "images": len(rows),
            "note": f"to the nearest of {len(truths)} true counterfactuals",
        }
        about |= {
            name: {"unit": ERROR_UNIT, "standard_error": standard_error(errors.translation), **common},
            f"{name}_baseline": {"unit": ERROR_UNIT, "standard_error": standard_error(errors.identity), **common},
            f"{name}_ratio": {"unit": "relative to the baseline, the error of the identity", **common},
        }
    return metrics, about


def domain_translation_picture(context: EvaluationContext) -> np.ndarray:
    """Draws eight images of each domain with their translations and cycle reconstructions: uint8 [h, w, channels]."""
    batch = {name: value[:NUM_PICTURED] for name, value in context.batch(NUM_PICTURED).items()}
    panels = {}
    for title, columns in context.model.preview_images(batch).items():
        scale = max(1, 64 // max(images.shape[1] for images in columns.values()))
        grids = {name: pictures.grid(images, columns=1, scale=scale) for name, images in columns.items()}
        panels[title] = pictures.hstack(grids, pad=2)
    return pictures.hstack(panels)


def translate(context: EvaluationContext, images: np.ndarray, domain: str) -> np.ndarray:
    """Returns the translations of images of domain `"a"` or `"b"` into the other domain."""
    function = context.model.a_to_b if domain == "a" else context.model.b_to_a
    return map_batches(
        lambda rows: function(images[rows], batch_size=context.batch_size),
        len(images),
        context.batch_size,
        functools.partial(context.progress, f"translating images of domain {domain}"),
    )


def load_shapes(
    split: str, image_shape: Sequence[int], data_dir: str | None = None, source: str = "shapes"
) -> dict[str, np.ndarray]:
    """Returns a split of `shapes` with its factors, in order: field -> array."""
    height, width, channels = image_shape
    dataset = data.load(
        source, split, image_shape=(height, width, channels), batch_size=500, shuffle=False, data_dir=data_dir
    )
    batches = list(dataset.as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _class_index(factor: str, value: str | int) -> int:
    return FACTORS[factor].index(value) if value in FACTORS[factor] else int(value)
