"""Kullback-Leibler divergences between a posterior and a prior."""

from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

_CORRELATED = tfd.MultivariateNormalLinearOperator
CLOSED_FORM = "closed form"
MONTE_CARLO = "Monte Carlo"


class Divergence(NamedTuple):
    """A divergence and how it was computed.

    Attributes:
        value: float32 [...], nats; an unbiased estimate (which may be below 0) if `method` is Monte Carlo.
        method: `"closed form"` or `"Monte Carlo"`.
    """

    value: tf.Tensor
    method: str


def kl(q: tfd.Distribution, p: tfd.Distribution, samples: tf.Tensor | None = None) -> Divergence:
    """Returns KL(q || p): the closed form if TFP has one, else the mean of log q - log p over samples of q.

    Args:
        q: posterior with batch shape [batch].
        p: prior with a batch shape that broadcasts to [batch].
        samples: samples of q, [num, batch, size]; required without a closed form.

    Returns:
        a `Divergence` with values of shape [batch].

    Raises:
        ValueError: if there is no closed form and no samples.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, appendix B (two normals).
    """
    if isinstance(q, _CORRELATED) != isinstance(p, _CORRELATED):
        # TFP has the closed form for two multivariate normals, but not for a multivariate and independent normals
        q, p = _as_multivariate(q), _as_multivariate(p)
    try:
        return Divergence(tf.cast(tfd.kl_divergence(q, p), tf.float32), CLOSED_FORM)
    except NotImplementedError:
        pass
    if samples is None:
        raise ValueError(
            f"Expected samples of q, [num, batch, size], because KL({q.name} || {p.name}) has no closed form in "
            "TensorFlow Probability; received None"
        )
    return Divergence(tf.reduce_mean(q.log_prob(samples) - p.log_prob(samples), axis=0), MONTE_CARLO)


def kl_per_dimension(q: tfd.Distribution, p: tfd.Distribution) -> tf.Tensor:
    """Returns KL(q || p) of each dimension, for distributions with independent dimensions.

    Args:
        q: `Independent` posterior over [size].
        p: `Independent` prior over [size] of a family with a registered closed form.

    Returns:
        float32 [batch, size], nats; its sum over the last axis is `kl(q, p).value`.

    Raises:
        ValueError: if a distribution does not factorize, or there is no closed form.
    """
    for role, distribution in (("posterior", q), ("prior", p)):
        if not isinstance(distribution, tfd.Independent):
            raise ValueError(f"Expected a {role} with independent dimensions; received {distribution}")
    try:
        return tf.cast(tfd.kl_divergence(q.distribution, p.distribution), tf.float32)
    except NotImplementedError as error:
        raise ValueError(
            f"Expected distributions whose KL has a closed form; received {q.name} and {p.name}"
        ) from error


def _as_multivariate(distribution: tfd.Distribution) -> tfd.Distribution:
    """Returns independent normals over [size] as one multivariate normal, and any other distribution unchanged."""
    if isinstance(distribution, tfd.Independent) and isinstance(distribution.distribution, tfd.Normal):
        normal = distribution.distribution
        return tfd.MultivariateNormalDiag(normal.loc, normal.scale)
    return distribution
