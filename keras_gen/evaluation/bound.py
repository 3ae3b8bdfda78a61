"""The bound on the log-likelihood and its terms, as the model itself reports them."""

from .subject import Subject

NATS = "nats per image"


def bound(subject: Subject) -> tuple[dict, dict]:
    """`elbo`, `reconstruction` and `kl` over the whole split, by `model.evaluate`; what the model tracks of them.

    Evaluation draws from the model's own evaluation stream (one code for each image, or k for an IWAE), so the numbers
    repeat. `elbo = -(reconstruction + kl)`; for a continuous head it is the bound of a density at the images, which
    may be positive. The KL of a prior without a closed form is a Monte Carlo estimate.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3.
    """
    model = subject.model
    results = model.evaluate(subject.dataset(), verbose=0, return_dict=True)
    metrics = {name: float(results[name]) for name in ("elbo", "reconstruction", "kl") if name in results}
    about = {name: {"unit": NATS, "images": subject.count()} for name in metrics}
    if "elbo" in metrics:
        for name in metrics:
            about[name]["samples"] = model.num_samples
        if model.likelihood.support == "continuous":
            about["elbo"]["note"] = "of a density at the images as they are; nll is of 8-bit levels"
            about["reconstruction"]["note"] = "of a density at the images as they are"
    elif getattr(model, "reconstruction_loss", None) == "mse":
        about["reconstruction"]["unit"] = "squared error, summed over pixels"
    if "kl" in metrics:
        # an estimate by draws may fall below what a divergence can be
        metrics["kl"] = max(0.0, metrics["kl"])
    return metrics, about
