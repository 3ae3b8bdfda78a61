"""The Parzen-window log-likelihood of a run: a historical measure, taken only where it is asked for."""

import functools

from ..context import EvaluationContext
from ..metrics.names import score_name
from ..metrics.parzen import parzen
from .samples import real_images

# the papers chose sigma on 1,000 or more
VALIDATION = 1000


def historical(context: EvaluationContext) -> tuple[dict, dict]:
    """`parzen_pixels_10k_test` of 10,000 samples, and as its floor what as many training images get in their place.

    See `parzen` for why it measures nothing but itself. Images before binarization. Null, with the reason, without a
    validation split, which chooses sigma, or where that is what is evaluated. Nothing where it was not asked for.
    """
    if not context.parzen:
        return {}, {}
    real = real_images(context)
    num = min(len(context.generated), len(real.floor))
    name = score_name("parzen", "pixels", num, context.split)
    note = "HISTORICAL, for tables of 2014 to 2016; no log-likelihood, and not to be compared with one"
    common = {"unit": "nats per image", "samples": num}
    about = {name: {**common, "note": note}, f"{name}_floor": {**common, "note": f"training images as samples; {note}"}}
    try:
        if context.split == "validation":
            raise ValueError("the evaluated split, validation, is the one that sigma would be chosen on")
        validation = context.batch(VALIDATION, role="validation", binarize=None)["image"]
        test = context.batch(context.max_images, binarize=None)["image"]
        report = functools.partial(context.progress, "Parzen windows")
        found = parzen(context.generated[:num], real.floor[:num], validation, test, progress=report)
    except ValueError as error:
        for notes in about.values():
            notes["reason"] = str(error)
        return dict.fromkeys(about), about
    for key, deviation, error in zip(
        about, (found.sigma, found.train_sigma), (found.error, found.train_error), strict=True
    ):
        sizes = {"images": len(test), "validation_images": len(validation)}
        about[key] |= {**sizes, "standard_error": error, "sigma": deviation}
    return {name: found.value, f"{name}_floor": found.train_value}, about
