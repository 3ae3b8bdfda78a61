"""The bound on the log-likelihood and its terms, as the model itself reports them."""

import functools
import math

import tensorflow as tf

from keras_gen.losses import bernoulli_cross_entropy, squared_error
from keras_gen.models import AdversarialModel

from ..batch_progress import BatchProgress
from ..context import EvaluationContext
from ..metrics.dequantization import cell_nats, dequantize
from ..metrics.pixel_support import CONTINUOUS, likelihood_mismatch

NATS = "nats per image"
DENSITY_NATS = "nats per image, of a density"
LEVELS_NATS = "nats per image, of 8-bit levels"


def bound(context: EvaluationContext) -> tuple[dict, dict]:
    """`elbo`, `reconstruction` and `kl` over the whole split, as training reports them, and `elbo_8bit`.

    Evaluation draws from the model's own evaluation stream (one code for each image, or k for an IWAE), so the numbers
    repeat. `elbo = -(reconstruction + kl)` is of what the head models, as in metrics.csv: of binary pixels or 8-bit
    levels, whose probabilities make it <= 0, or, under a continuous head, of a density, which has no bound. For a
    continuous head `elbo_8bit` <= 0 is of the 8-bit levels, by dequantized images, as `nll` is: it alone compares with
    other heads. It is null, with the reason, for images that are not 8-bit. The KL of a prior without a closed form is
    a Monte Carlo estimate. A system of players has `reconstruction` alone.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3.
    """
    model = context.model
    if isinstance(model, AdversarialModel):
        # its own evaluation plays all players, and some need more than images
        about = {"unit": _loss_unit(model), "images": context.count()}
        return {"reconstruction": _reconstruction(context)}, {"reconstruction": about}
    results = _evaluated(context, context.dataset(), "bound")
    metrics = {name: float(results[name]) for name in ("elbo", "reconstruction", "kl") if name in results}
    about = {name: {"unit": NATS, "images": context.count()} for name in metrics}
    if "kl" in metrics:
        # an estimate by draws may fall below what a divergence can be
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
            about["elbo"]["note"] = f"no bound of a log-likelihood: {reason}"
        return metrics, about
    about["elbo"] |= {"unit": DENSITY_NATS, "note": "as in training, and no bound for 8-bit levels: see elbo_8bit"}
    about["reconstruction"]["unit"] = DENSITY_NATS
    metrics["elbo_8bit"] = None if reason else _levels_bound(context)
    about["elbo_8bit"] = {**about["elbo"], "unit": LEVELS_NATS, "note": "by uniform dequantization, as nll"}
    if reason:
        about["elbo_8bit"]["reason"] = reason
    return metrics, about


def _levels_bound(context: EvaluationContext) -> float:
    """The bound on the log-probability of 8-bit levels under a density, nats per image."""
    dataset = context.dataset().enumerate()
    dataset = dataset.map(lambda part, batch: {**batch, "image": dequantize(batch["image"], context.seed, part)})
    results = _evaluated(context, dataset, "bound of 8-bit levels")
    return float(results["elbo"]) - cell_nats(context.model.image_shape)


def _evaluated(context: EvaluationContext, dataset: tf.data.Dataset, what: str) -> dict:
    batches = math.ceil(context.count() / context.batch_size)
    counts = BatchProgress(functools.partial(context.progress, f"{what}: batches of {context.batch_size}"), batches)
    return context.model.evaluate(dataset, verbose=0, return_dict=True, callbacks=[counts])


def _loss_unit(model) -> str:
    return "squared error, summed over pixels" if getattr(model, "reconstruction_loss", None) == "mse" else NATS


def _reconstruction(context: EvaluationContext) -> float:
    """The reconstruction loss, mean over the split."""
    model = context.model

    @tf.function(reduce_retracing=True)
    def losses(image, label):
        logits = model.decoded(model.encode(image, label), label)
        if model.reconstruction_loss == "bernoulli":
            return bernoulli_cross_entropy(image, logits)
        return squared_error(image, model.image_of(logits))

    rows, done, total = [], 0, context.count()
    for batch in context.dataset():
        context.progress("reconstruction loss", done, total)
        rows.append(losses(batch["image"], model.label_of(batch)))
        done += len(batch["image"])
    return float(tf.reduce_mean(tf.cast(tf.concat(rows, axis=0), tf.float64)))
