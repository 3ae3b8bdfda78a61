"""The marginal log-likelihood of a run's data, and the information in its latent codes."""

import functools
import math

import numpy as np

from keras_gen.distributions import bits_per_dimension
from keras_gen.models.core.protocols import HasPosteriorFamily

from ..context import EvaluationContext
from ..metrics.dequantization import CONTINUOUS, cell_nats, dequantize, likelihood_mismatch
from ..metrics.elbo_surgery import elbo_surgery
from ..metrics.log_likelihood import log_likelihood
from ..metrics.standard_error import standard_error
from ..types import About, Metrics
from .elbo import LEVELS_NATS, NATS

BITS = "bits per pixel and channel"
ACTIVE_VARIANCE = 0.01

# with full covariance, every pair of a code and an image costs a triangular solve
FULL_COVARIANCE_IMAGES = 2000


def likelihood(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `nll` = -log p(x) and `bits_per_dimension` by importance sampling.

    Both are null where the head is not a likelihood of the images. With a finite number of samples the estimate is, in
    expectation, an upper bound on -log p(x).
    """
    model = context.model
    batch = context.batch(context.nll_images)
    images, support = batch["image"], model.likelihood.support
    if reason := likelihood_mismatch(support, images):
        units = {"nll": NATS, "bits_per_dimension": BITS}
        about: About = {name: {"unit": unit, "images": len(images), "reason": reason} for name, unit in units.items()}
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
    note, unit = "in expectation an upper bound on -log p, tighter with more samples", NATS
    if support == CONTINUOUS:
        note, unit = f"{note}; of the 8-bit levels, by uniform dequantization", LEVELS_NATS
    common = {"images": len(images), "samples": context.nll_samples, "note": note}
    metrics = {"nll": nll, "bits_per_dimension": bits_per_dimension(nll, dimensions)}
    bits_error = None if error is None else bits_per_dimension(error, dimensions)
    about = {
        "nll": {"unit": unit, **common, "standard_error": error},
        "bits_per_dimension": {"unit": BITS, **common, "standard_error": bits_error},
    }
    return metrics, about


def information(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `kl_aggregate`, KL(aggregate posterior || prior), and `information`, I(image; code).

    See `elbo_surgery`.
    """
    model, num_images = context.model, context.max_images
    if isinstance(model, HasPosteriorFamily) and not model.family.factorizes:
        num_images = min(num_images, FULL_COVARIANCE_IMAGES)
    batch = context.batch(num_images)
    parts = elbo_surgery(
        model,
        batch["image"],
        labels=context.labels(batch),
        seed=context.seed,
        batch_size=context.batch_size,
        progress=functools.partial(context.progress, "information in the codes"),
    )
    common = {"unit": NATS, "images": parts.images, "samples": parts.samples}
    limit = math.log(parts.images)
    metrics = {"kl_aggregate": max(0.0, parts.kl_aggregate), "information": max(0.0, parts.information)}
    about: About = {
        "kl_aggregate": {
            **common,
            "standard_error": parts.errors[1],
            "note": "KL(aggregate posterior || prior); kl_aggregate + information is the kl of the same codes, "
            f"{parts.kl:.4f}",
        },
        "information": {
            **common,
            "standard_error": parts.errors[2],
            "limit": limit,
            "note": f"I(image; code); {parts.images} images show at most log {parts.images} = {limit:.2f} nats, and "
            "any further information counts as kl_aggregate",
        },
    }
    return metrics, about


def active_units(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `active_units`, the number of latent dimensions that depend on the image."""
    codes = context.map(context.model.encode, context.batch(context.max_images))
    about: About = {
        "active_units": {
            "unit": f"latent dimensions of {codes.shape[1]}",
            "images": len(codes),
            "note": f"dimensions in which the variance of the posterior's mean over images exceeds {ACTIVE_VARIANCE}",
        }
    }
    return {"active_units": count_active_units(codes)}, about


def count_active_units(codes: np.ndarray, threshold: float = ACTIVE_VARIANCE) -> int:
    """Returns the number of dimensions in which the posterior's mean varies: Var_x(E_q(z|x)[z]) > threshold.

    Args:
        codes: posterior means [num, size], num >= 2.
        threshold: the paper's 0.01; the variances of most models are far above or far below.

    Raises:
        ValueError: for fewer than 2 codes.

    Reference:
        Burda, Grosse, Salakhutdinov 2015, arXiv:1509.00519, section 5.2.
    """
    if len(codes) < 2:
        raise ValueError(f"Expected at least 2 codes for a variance over images; received {len(codes)}")
    return int(np.sum(np.var(codes, axis=0) > threshold))
