"""What a translator between two domains is worth: ways back, classes carried over, true counterfactuals."""

import functools

import numpy as np

from keras_gen import data, pictures
from keras_gen.data import FACTORS, Factors

from ..context import EvaluationContext
from ..metrics.counterfactual_error import counterfactual_errors, counterfactuals
from ..metrics.domain_transfer import transfer
from ..metrics.standard_error import standard_error

OTHER = {"a": "b", "b": "a"}
RANGE = "mean absolute error, range 0 to 1"
SHARE = "share of images, 0 to 1"
COMPARED = 500  # pictures of `shapes`, each with up to 32 counterfactuals


def cycle(context: EvaluationContext) -> tuple[dict, dict]:
    """`cycle_error_a` and `_b`: mean absolute error of images after a round trip through the other domain.

    The training asks for a small error, which says little by itself: a translator that does nothing has the
    `..._baseline`, 0.
    """
    batch, metrics, about = context.batch(context.max_images), {}, {}
    for domain in "ab":
        images = batch[f"domain_{domain}"]
        back = translate(context, translate(context, images, domain), OTHER[domain])
        name = f"cycle_error_{domain}"
        metrics[name] = float(np.abs(images - back).mean())
        about[name] = {"unit": RANGE, "images": len(images)}
        if images.shape == back.shape:
            metrics[f"{name}_baseline"] = 0.0
            about[f"{name}_baseline"] = {**about[name], "note": "a translation that does nothing"}
    return metrics, about


def transferred(context: EvaluationContext) -> tuple[dict, dict]:
    """`transfer_accuracy_a_to_b` and `_b_to_a`, with `..._untranslated` and `..._real` beside them; see `transfer`.

    Null, with the reason, where the two domains have no labels in common.
    """
    directions = ("a_to_b", "b_to_a")
    names = [f"transfer_accuracy_{d}{end}" for d in directions for end in ("", "_untranslated", "_real")]
    train, test = context.batch(context.max_images, role="train"), context.batch(context.max_images)
    if context.split == "train" or not {"label_a", "label_b"} <= set(train):
        reason = "the two domains have no labels" if context.split != "train" else "the training split is learned from"
        return dict.fromkeys(names), {name: {"unit": SHARE, "reason": reason} for name in names}
    metrics, about = {}, {}
    for domain, direction in zip("ab", directions, strict=True):
        other = OTHER[domain]
        source, target = ((train[f"domain_{d}"], train[f"label_{d}"]) for d in (domain, other))
        made = translate(context, source[0], domain), source[1]
        tested = test[f"domain_{other}"], test[f"label_{other}"]
        report = functools.partial(context.progress, f"training classifiers for {direction}: batches")
        found = transfer(made, source, target, tested, seed=context.seed, progress=report)
        learned = {"": found.translated, "_untranslated": found.untranslated, "_real": found.real}
        for end, value in learned.items():
            name = f"transfer_accuracy_{direction}{end}"
            metrics[name] = value
            about[name] = {"unit": SHARE, "images": len(tested[1]), "learned_from": len(source[0])}
            if value is None:
                about[name]["reason"] = "the domains' images differ in shape"
    return metrics, about


def known_counterparts(context: EvaluationContext) -> tuple[dict, dict]:
    """`counterpart_error_a_to_b` and `_b_to_a`, and `..._ratio`, the part of what doing nothing would have.

    Of `shapes`, whose true counterfactuals are known; nothing is reported of other data.
    """
    told = context.run.config["data"]
    if told["source"].partition("/")[0] != "shapes" or not told.get("domains"):
        return {}, {}
    metrics, about = {}, {}
    by, classes = told.get("domain_field", "label"), told["domains"]
    by = "shape" if by == "label" else by
    whole = shapes_of(told["splits"][context.split], context.run.image_shape, told.get("data_dir"), told["source"])
    factors = Factors.from_batch(whole)
    for domain, direction in zip("ab", ("a_to_b", "b_to_a"), strict=True):
        given, wanted = classes if domain == "a" else classes[::-1]
        rows = np.flatnonzero(getattr(factors, by) == _class(by, given))[:COMPARED]
        images, name = whole["image"][rows], f"counterpart_error_{direction}"
        truths = counterfactuals(factors[rows], by, _class(by, wanted), context.run.image_shape)
        found = counterfactual_errors(images, translate(context, images, domain), truths)
        metrics |= {name: float(found.made.mean()), f"{name}_baseline": float(found.untouched.mean())}
        metrics[f"{name}_ratio"] = found.ratio
        note = {"images": len(rows), "note": f"to the nearest of {len(truths)} true counterfactuals"}
        about[name] = {"unit": RANGE, "standard_error": standard_error(found.made), **note}
        about[f"{name}_baseline"] = {"unit": RANGE, "standard_error": standard_error(found.untouched), **note}
        about[f"{name}_ratio"] = {"unit": "over the baseline, the error of doing nothing", **note}
    return metrics, about


def translations(context: EvaluationContext) -> np.ndarray:
    """Eight images of each domain, translated and back again, as a picture."""
    shown = context.model.examples({name: value[:8] for name, value in context.batch(8).items()})
    panels = {}
    for title, columns in shown.items():
        scale = max(1, 64 // max(images.shape[1] for images in columns.values()))
        grids = {name: pictures.grid(images, columns=1, scale=scale) for name, images in columns.items()}
        panels[title] = pictures.beside(grids, pad=2)
    return pictures.beside(panels)


def translate(context: EvaluationContext, images: np.ndarray, domain: str) -> np.ndarray:
    """Images of a domain -> images of the other."""
    function = context.model.a_to_b if domain == "a" else context.model.b_to_a
    parts = []
    for start in range(0, len(images), context.batch_size):
        context.progress(f"translating images of domain {domain}", start, len(images))
        rows = slice(start, start + context.batch_size)
        parts.append(function(images[rows], batch_size=context.batch_size))
    return np.concatenate(parts)


def shapes_of(split: str, image_shape, data_dir=None, source: str = "shapes") -> dict[str, np.ndarray]:
    """A split of `shapes` with its factors, in order: field -> array."""
    loaded = data.load(source, split, image_shape=image_shape, batch_size=500, shuffle=False, data_dir=data_dir)
    batches = list(loaded.as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _class(by: str, value: str | int) -> int:
    return FACTORS[by].index(value) if value in FACTORS[by] else int(value)
