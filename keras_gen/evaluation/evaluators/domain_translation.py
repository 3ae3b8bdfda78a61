"""Metrics of translation between two domains: cycle consistency, class transfer and errors to true counterfactuals."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gen import data, pictures
from keras_gen.batching import map_batches
from keras_gen.data import FACTORS, Factors

from ..context import EvaluationContext
from ..metrics.counterfactual_error import counterfactual_errors, counterfactuals
from ..metrics.domain_transfer import domain_transfer
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


def transfer_accuracy(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `transfer_accuracy_a_to_b` and `_b_to_a`, with `..._untranslated` and `..._real`; see `domain_transfer`.

    All are null for domains without labels.
    """
    names = [f"transfer_accuracy_{d}{suffix}" for d in DIRECTIONS for suffix in ("", "_untranslated", "_real")]
    train, test = context.batch(context.max_images, role="train"), context.batch(context.max_images)
    if context.split == "train" or not {"label_a", "label_b"} <= set(train):
        reason = "the two domains have no labels"
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
