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

    value: float32 [...], nats; an unbiased estimate (which may be below 0) where `method` is Monte Carlo.
    method: `"closed form"` or `"Monte Carlo"`.
    """

    value: tf.Tensor
    method: str


def kl(q: tfd.Distribution, p: tfd.Distribution, draws: tf.Tensor | None = None) -> Divergence:
    """KL(q || p): the closed form where TFP has one registered, else the mean of log q - log p over draws of q.

    Args:
        q: posterior with batch shape [batch].
        p: prior with a batch shape that broadcasts to [batch].
        draws: draws of q, [num, batch, size]; needed where there is no closed form.

    Returns:
        A Divergence with values of shape [batch].

    Raises:
        ValueError: without a closed form and without draws.

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, appendix B (two normals).
    """
    if isinstance(q, _CORRELATED) != isinstance(p, _CORRELATED):
        # TFP has this closed form for two multivariate normals, not for one of them beside independent normals
        q, p = _as_multivariate(q), _as_multivariate(p)
    try:
        return Divergence(tf.cast(tfd.kl_divergence(q, p), tf.float32), CLOSED_FORM)
    except NotImplementedError:
        pass
    if draws is None:
        raise ValueError(
            f"KL({q.name} || {p.name}) has no closed form in TensorFlow Probability: pass draws of q, "
            "a tensor [num, batch, size]"
        )
    return Divergence(tf.reduce_mean(q.log_prob(draws) - p.log_prob(draws), axis=0), MONTE_CARLO)


def kl_per_dimension(q: tfd.Distribution, p: tfd.Distribution) -> tf.Tensor:
    """KL(q || p) split by dimension, for distributions whose dimensions are independent.

    Args:
        q: `Independent` posterior over [size].
        p: `Independent` prior over [size] of a family with a registered closed form.

    Returns:
        float32 [batch, size], nats; its sum over the last axis is `kl(q, p).value`.

    Raises:
        ValueError: where one of the two does not factorize, or no closed form is registered.
    """
    for role, distribution in (("posterior", q), ("prior", p)):
        if not isinstance(distribution, tfd.Independent):
            raise ValueError(f"A KL by dimension needs a {role} with independent dimensions; received {distribution}")
    try:
        return tf.cast(tfd.kl_divergence(q.distribution, p.distribution), tf.float32)
    except NotImplementedError as error:
        raise ValueError(f"A KL by dimension needs a closed form; there is none for {q.name} and {p.name}") from error


def _as_multivariate(distribution: tfd.Distribution) -> tfd.Distribution:
    """Independent normals over [size] as one multivariate normal; anything else as it is."""
    if isinstance(distribution, tfd.Independent) and isinstance(distribution.distribution, tfd.Normal):
        normal = distribution.distribution
        return tfd.MultivariateNormalDiag(normal.loc, normal.scale)
    return distribution
