"""The ELBO and its terms, as the model itself reports them."""

import functools
import math
from typing import Any

import tensorflow as tf

from keras_gen.losses import reconstruction
from keras_gen.models.core.protocols import HasPlayers, HasReconstructionLoss

from ..batch_progress import BatchProgress
from ..context import EvaluationContext
from ..metrics.dequantization import CONTINUOUS, cell_nats, dequantize, likelihood_mismatch
from ..types import About, Metrics

NATS = "nats per image"
DENSITY_NATS = "nats per image, of a density"
LEVELS_NATS = "nats per image, of 8-bit levels"


def elbo(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `elbo`, `reconstruction` and `kl` over the whole split, as training reports them, and `elbo_8bit`.

    The codes come from the model's own evaluation stream (one code per image, or k for an IWAE), so the numbers repeat.
    `elbo = -(reconstruction + kl)`, as in metrics.csv, refers to what the head models: binary pixels or 8-bit levels,
    whose probabilities make it <= 0, or, under a continuous head, a density, which is unbounded. For a continuous head
    `elbo_8bit` <= 0 refers to the 8-bit levels, by dequantized images, as `nll` does, and is the value to compare with
    other heads. It is null for images that are not 8-bit. The KL of a prior without a closed form is a Monte Carlo
    estimate. A model of several players has `reconstruction` alone.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3.
    """
    model = context.model
    if isinstance(model, HasPlayers):
        # its own `evaluate` runs all players, some of which need more than images
        about: About = {"reconstruction": {"unit": _loss_unit(model), "images": context.count()}}
        return {"reconstruction": _reconstruction_loss(context)}, about
    results = _evaluate(context, context.dataset(), "ELBO")
    metrics = {name: float(results[name]) for name in ("elbo", "reconstruction", "kl") if name in results}
    about = {name: {"unit": NATS, "images": context.count()} for name in metrics}
    if "kl" in metrics:
        # a Monte Carlo estimate may be negative, a divergence may not
        metrics["kl"] = max(0.0, metrics["kl"])
    if "elbo" not in metrics:
        if "reconstruction" in metrics:
            about["reconstruction"]["unit"] = _loss_unit(model)
        return metrics, about
    for name in metrics:
        about[name]["samples"] = model.num_samples
    support = model.likelihood.support
    reason = likelihood_mismatch(support, context.batch(context.nll_images)["image"])
    if support != CONTINUOUS:
        if reason:
            about["elbo"]["note"] = f"not a bound on a log-likelihood: {reason}"
        return metrics, about
    about["elbo"] |= {"unit": DENSITY_NATS, "note": "as in training; not a bound for 8-bit levels, see elbo_8bit"}
    about["reconstruction"]["unit"] = DENSITY_NATS
    about["elbo_8bit"] = {**about["elbo"], "unit": LEVELS_NATS, "note": "by uniform dequantization, as nll"}
    if reason:
        about["elbo_8bit"]["reason"] = reason
    return {**metrics, "elbo_8bit": None if reason else _elbo_of_levels(context)}, about


def _elbo_of_levels(context: EvaluationContext) -> float:
    """Returns the ELBO of 8-bit levels under a density, nats per image."""
    dataset = context.dataset().enumerate()
    dataset = dataset.map(lambda part, batch: {**batch, "image": dequantize(batch["image"], context.seed, part)})
    results = _evaluate(context, dataset, "ELBO of 8-bit levels")
    return float(results["elbo"]) - cell_nats(context.model.image_shape)


def _evaluate(context: EvaluationContext, dataset: tf.data.Dataset, activity: str) -> dict[str, Any]:
    num_batches = math.ceil(context.count() / context.batch_size)
    progress = functools.partial(context.progress, f"{activity}: batches of {context.batch_size}")
    callbacks = [BatchProgress(progress, num_batches)]
    return context.model.evaluate(dataset, verbose=0, return_dict=True, callbacks=callbacks)


def _loss_unit(model: object) -> str:
    if isinstance(model, HasReconstructionLoss) and model.reconstruction_loss == "mse":
        return "squared error, summed over pixels"
    return NATS


def _reconstruction_loss(context: EvaluationContext) -> float:
    """Returns the reconstruction loss, averaged over the split."""
    model = context.model
    loss = reconstruction.get(model.reconstruction_loss)

    @tf.function(reduce_retracing=True)
    def losses(image, label):
        return loss(image, model.decoded(model.encode(image, label), label))

    values, done, total = [], 0, context.count()
    for batch in context.dataset():
        context.progress("reconstruction loss", done, total)
        values.append(losses(batch["image"], model.label_of(batch)))
        done += len(batch["image"])
    return float(tf.reduce_mean(tf.cast(tf.concat(values, axis=0), tf.float64)))
