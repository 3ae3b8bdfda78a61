"""The bound on the log-likelihood and its terms, as the model itself reports them."""

import tensorflow as tf

from keras_gen.losses import bernoulli_cross_entropy, squared_error
from keras_gen.models import AdversarialModel

from .data_kind import CONTINUOUS, why_no_likelihood
from .dequantization import cell_nats, dequantize
from .subject import Subject

NATS = "nats per image"


def bound(subject: Subject) -> tuple[dict, dict]:
    """`elbo`, `reconstruction` and `kl` over the whole split, by `model.evaluate`; what the model tracks of them.

    Evaluation draws from the model's own evaluation stream (one code for each image, or k for an IWAE), so the numbers
    repeat. `elbo = -(reconstruction + kl)` <= 0: under a continuous head the images are dequantized, as for `nll`, and
    both are of their 8-bit levels. Images that are not 8-bit have a density alone: `elbo` is then null, with the
    reason, and `reconstruction` is of the density. The KL of a prior without a closed form is a Monte Carlo estimate.
    A system of players has `reconstruction` alone.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3.
    """
    model, dataset = subject.model, subject.dataset()
    if isinstance(model, AdversarialModel):
        # its own evaluation plays all players, and some need more than images
        about = {"unit": _loss_unit(model), "images": subject.count()}
        return {"reconstruction": _reconstruction(subject)}, {"reconstruction": about}
    offset, reason, note = 0.0, None, None
    if _continuous(model):
        reason = why_no_likelihood(CONTINUOUS, subject.batch(subject.nll_images)["image"])
        note = "of a density at the images" if reason else "of the 8-bit levels, by uniform dequantization"
    if note and not reason:
        offset = cell_nats(model.image_shape)
        dataset = dataset.enumerate().map(
            lambda part, batch: {**batch, "image": dequantize(batch["image"], subject.seed, part)}
        )
    results = model.evaluate(dataset, verbose=0, return_dict=True)
    metrics = {name: float(results[name]) for name in ("elbo", "reconstruction", "kl") if name in results}
    about = {name: {"unit": NATS, "images": subject.count()} for name in metrics}
    if "elbo" in metrics:
        metrics["elbo"] -= offset
        metrics["reconstruction"] += offset
        for name in metrics:
            about[name]["samples"] = model.num_samples
        if note:
            about["reconstruction"]["note"] = note
            about["elbo"] |= {"reason": reason} if reason else {"note": note}
        if reason:
            metrics["elbo"] = None
    elif "reconstruction" in metrics:
        about["reconstruction"]["unit"] = _loss_unit(model)
    if "kl" in metrics:
        # an estimate by draws may fall below what a divergence can be
        metrics["kl"] = max(0.0, metrics["kl"])
    return metrics, about


def _continuous(model) -> bool:
    likelihood = getattr(model, "likelihood", None)
    return likelihood is not None and likelihood.support == CONTINUOUS


def _loss_unit(model) -> str:
    return "squared error, summed over pixels" if getattr(model, "reconstruction_loss", None) == "mse" else NATS


def _reconstruction(subject: Subject) -> float:
    """The reconstruction loss, mean over the split."""
    model = subject.model

    @tf.function(reduce_retracing=True)
    def losses(image, label):
        logits = model.decoded(model.encode(image, label), label)
        if model.reconstruction_loss == "bernoulli":
            return bernoulli_cross_entropy(image, logits)
        return squared_error(image, model.image_of(logits))

    rows = [losses(batch["image"], model.label_of(batch)) for batch in subject.dataset()]
    return float(tf.reduce_mean(tf.cast(tf.concat(rows, axis=0), tf.float64)))
