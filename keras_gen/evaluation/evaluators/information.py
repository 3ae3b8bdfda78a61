"""The prior-fitting term of a run in two parts."""

import functools
import math

from ..context import EvaluationContext
from ..metrics.elbo_surgery import prior_fitting
from .elbo import NATS

# with full covariance, every pair of a code and an image costs a triangular solve
FULL_COVARIANCE_IMAGES = 2000


def information(context: EvaluationContext) -> tuple[dict, dict]:
    """`kl_aggregate`, KL(all codes || prior), and the `information` a code keeps of its image; see `prior_fitting`."""
    model = context.model
    images = context.max_images
    if not getattr(getattr(model, "family", None), "factorizes", True):
        images = min(images, FULL_COVARIANCE_IMAGES)
    batch = context.batch(images)
    parts = prior_fitting(
        model,
        batch["image"],
        labels=context.labels(batch),
        seed=context.seed,
        batch_size=context.batch_size,
        progress=functools.partial(context.progress, "information in the codes"),
    )
    common = {"unit": NATS, "images": parts.images, "samples": parts.draws}
    limit = math.log(parts.images)
    metrics = {"kl_aggregate": max(0.0, parts.kl_aggregate), "information": max(0.0, parts.information)}
    about = {
        "kl_aggregate": {
            **common,
            "standard_error": parts.errors[1],
            "note": f"KL(all codes || prior); with information it adds up to the kl of these draws, {parts.kl:.4f}",
        },
        "information": {
            **common,
            "standard_error": parts.errors[2],
            "limit": limit,
            "note": f"I(image; code); {parts.images} images show at most log {parts.images} = {limit:.2f} nats, and "
            "what is missing there is counted as kl_aggregate",
        },
    }
    return metrics, about
