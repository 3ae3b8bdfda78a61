"""Translations into other attributes, judged by classifiers of real images."""

import functools

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext
from ..features.classifier import SETTINGS, feature_classifier
from ..metrics.standard_error import standard_error
from .reconstruction import psnr

UNIT = "share of images, 0 to 1"
IDENTITY = "of the images as they were: a translation that does nothing"
MOST = 12  # groups that are judged: a classifier is trained for each
SHOWN = 8
JUDGED = 20_000  # images that a judge sees in training, at least: a small set more often


def attribute_translation(context: EvaluationContext) -> tuple[dict, dict]:
    """How well translations have their target's attributes, beside the judges' errors on real images.

    Each image is translated to the attributes of another one of the split (of its own data set). For each group of
    attributes a judge, `feature_classifier`, is trained on the run's real training images:

    - `judge_error_real_GROUP`: its error on the split's real images.
    - `judge_error_translated_GROUP`: the share of translations that it reads otherwise than the target, and its
      `..._baseline`, the same of the images as they were. Where an attribute is rare, most images have the target's
      value already, and doing nothing has a small error: a translation is worth what lies between the two.
    - `back_and_forth_error`: the mean absolute difference of an image and its translation to the target and back to
      its own attributes; and `back_and_forth_psnr`, in dB, of the mean squared difference. A translator that does
      nothing has the baselines 0 and 100 dB: they say something only next to the judges' errors.

    Reference:
        Choi et al. 2018, StarGAN, arXiv:1711.09020, section 5 (classification error of translated images).
    """
    model, split, told = context.model, context.split, context.model.vocabulary
    batch, train = context.batch(context.max_images), context.batch(context.max_images, role="train")
    own, theirs = (np.asarray(model.attributes_of(part)) for part in (batch, train))
    sets, their_sets = (
        np.asarray(part.get("dataset", np.zeros(len(part["image"]), np.int32))) for part in (batch, train)
    )
    target = own[partners(sets, context.seed)]
    made = _translated(context, batch["image"], target, sets)
    back = _translated(context, made, own, sets)
    error, common = np.abs(back - batch["image"]).mean(), {"images": len(made)}
    metrics = {
        f"back_and_forth_error_{split}": float(error),
        f"back_and_forth_error_{split}_baseline": 0.0,
        f"back_and_forth_psnr_{split}": float(np.mean(psnr(batch["image"], back))),
        f"back_and_forth_psnr_{split}_baseline": float(np.mean(psnr(batch["image"], batch["image"]))),
    }
    units = {"error": "mean absolute difference, images in [0, 1]", "psnr": "dB"}
    about = {name: {"unit": units["psnr" if "psnr" in name else "error"], **common} for name in metrics}
    for name in metrics:
        if name.endswith("_baseline"):
            about[name]["note"] = IDENTITY
    for group, size in list(enumerate(told.groups))[:MOST]:
        entries = np.flatnonzero(told.group_of == group)
        name = told.names[entries[0]] if size == 1 else group_name([told.names[entry] for entry in entries], group)
        known = [told.known_groups[which, group] > 0 for which in (sets, their_sets)]

        def classes(vectors, rows, entries=entries, size=size):
            found = vectors[rows][:, entries]
            return (found.argmax(1) if size > 1 else found[:, 0] > 0.5).astype(np.int64)

        names = [f"judge_error_{what}_{name}_{split}" for what in ("real", "translated")]
        names.append(f"{names[1]}_baseline")
        truth = classes(theirs, known[1])
        if not known[0].any() or len(np.unique(truth)) < 2 or classes(own, known[0]).max() > truth.max():
            metrics |= dict.fromkeys(names)
            reason = {"unit": UNIT, "images": int(known[0].sum()), "reason": "the training images have one class of it"}
            about |= {each: dict(reason) for each in names}
            continue
        epochs = max(SETTINGS["epochs"], -(-JUDGED // len(truth)))
        judge = feature_classifier(
            (train["image"][known[1]], truth),
            (batch["image"][known[0]], classes(own, known[0])),
            settings={"epochs": epochs},
            progress=functools.partial(context.progress, f"training the judge of {name}: batches"),
        )
        wanted = classes(target, known[0])
        errors = {
            names[0]: judge.classify(batch["image"][known[0]]) != classes(own, known[0]),
            names[1]: judge.classify(made[known[0]]) != wanted,
            names[2]: judge.classify(batch["image"][known[0]]) != wanted,
        }
        metrics |= {each: float(wrong.mean()) for each, wrong in errors.items()}
        about |= {
            each: {"unit": UNIT, "images": len(wrong), "standard_error": standard_error(wrong)}
            for each, wrong in errors.items()
        }
        about[names[2]]["note"] = IDENTITY
    return metrics, about


def partners(sets: np.ndarray, seed: int) -> np.ndarray:
    """For every example another one's number, in a random order within its set: int [num]."""
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(len(sets))
    slots, by_set = np.argsort(sets, kind="stable"), order[np.argsort(sets[order], kind="stable")]
    found = np.empty(len(sets), np.int64)
    found[slots] = by_set
    return found


def group_name(names: list[str], group: int) -> str:
    """What the names of exclusive domains begin with, "color" of "color=red" and "color=blue", or its number."""
    heads = {name.split("=")[0] for name in names if "=" in name}
    return heads.pop() if len(heads) == 1 else f"group_{group}"


def attribute_translations(context: EvaluationContext) -> np.ndarray:
    """The first images of the split, each beside itself in every domain: uint8 [height, width, channels]."""
    batch = context.batch(SHOWN)
    columns = next(iter(context.model.examples(batch).values()))
    return pictures.beside(
        {name: pictures.grid(images, columns=1, scale=context.zoom) for name, images in columns.items()}, pad=2
    )


def _translated(context: EvaluationContext, images, attributes, sets) -> np.ndarray:
    """By the model's `call`, which adds the mask of a set where there are several."""
    parts = []
    for start in range(0, len(images), context.batch_size):
        context.progress("translating images", start, len(images))
        rows = slice(start, start + context.batch_size)
        given = {"image": images[rows], "attributes": attributes[rows], "dataset": sets[rows]}
        parts.append(context.model(given).numpy())
    return np.concatenate(parts)
