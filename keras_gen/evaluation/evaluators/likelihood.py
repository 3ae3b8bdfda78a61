"""The marginal log-likelihood of a run's data, where its head is a likelihood of them."""

import math

from keras_gen.distributions import bits_per_dimension

from ..context import EvaluationContext
from ..metrics.dequantization import cell_nats, dequantize
from ..metrics.log_likelihood import log_likelihood
from ..metrics.pixel_support import CONTINUOUS, likelihood_mismatch
from ..metrics.standard_error import standard_error
from .elbo import LEVELS_NATS, NATS

BITS = "bits per pixel and channel"


def likelihood(context: EvaluationContext) -> tuple[dict, dict]:
    """`nll` = -log p(x) and `bits_per_dimension`, by importance sampling; null where the head is no likelihood.

    With a finite number of samples the estimate is, in expectation, an upper bound of -log p(x).
    """
    model = context.model
    batch = context.batch(context.nll_images)
    images, support = batch["image"], model.likelihood.support
    reason = likelihood_mismatch(support, images)
    sizes = {"images": len(images), "samples": context.nll_samples}
    if reason:
        units = {"nll": NATS, "bits_per_dimension": BITS}
        about = {name: {"unit": unit, "images": len(images), "reason": reason} for name, unit in units.items()}
        return dict.fromkeys(units), about
    offset = 0.0
    if support == CONTINUOUS:
        images, offset = dequantize(images, context.seed).numpy(), cell_nats(model.image_shape)
    values = offset - log_likelihood(
        model,
        images,
        context.nll_samples,
        labels=context.labels(batch),
        seed=context.seed,
        progress=lambda done: context.progress("log-likelihood", done, len(images)),
    )
    nll, dimensions = float(values.mean()), math.prod(images.shape[1:])
    error = standard_error(values)
    note, unit = "an upper bound of -log p in expectation, closer with more samples", NATS
    if support == CONTINUOUS:
        note, unit = f"{note}; of the 8-bit levels, by uniform dequantization", LEVELS_NATS
    metrics = {"nll": nll, "bits_per_dimension": bits_per_dimension(nll, dimensions)}
    about = {
        "nll": {"unit": unit, **sizes, "standard_error": error, "note": note},
        "bits_per_dimension": {
            "unit": BITS,
            **sizes,
            "standard_error": None if error is None else bits_per_dimension(error, dimensions),
            "note": note,
        },
    }
    return metrics, about
