"""Variational posteriors q(z | x): an encoder's output as a distribution over codes."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions
tfb = tfp.bijectors

SCALE_FLOOR = 1e-4


@dataclasses.dataclass(frozen=True)
class Posterior:
    """A family of reparameterized distributions over codes [size].

    Attributes:
        name: name in the registry.
        outputs: code size -> units of the encoder's output.
        distribution: encoder output [..., outputs], code size -> distribution over codes [size].
        stddev: encoder output [batch, outputs], code size -> standard deviation of each dimension [batch, size],
            computed with operations that TFLite supports.
        reparameterize: distribution, standard normal noise [..., size] -> codes [..., size], differentiable with
            respect to the parameters.
        factorizes: whether the dimensions are independent, so that the KL divergence is a sum over dimensions.
    """

    name: str
    outputs: Callable[[int], int]
    distribution: Callable[[tf.Tensor, int], tfd.Distribution]
    stddev: Callable[[tf.Tensor, int], tf.Tensor]
    reparameterize: Callable[[tfd.Distribution, tf.Tensor], tf.Tensor]
    factorizes: bool


def positive(raw: tf.Tensor) -> tf.Tensor:
    """Returns a scale > 1e-4 from an unbounded tensor; 1 at raw = 0."""
    return SCALE_FLOOR + tf.nn.softplus(raw + 0.5413)  # softplus(0.5413) = 1


def _diagonal(parameters: tf.Tensor, size: int) -> tfd.Distribution:
    mean, raw = tf.split(tf.cast(parameters, tf.float32), [size, size], axis=-1)
    return tfd.Independent(tfd.Normal(mean, positive(raw)), 1)


def _full(parameters: tf.Tensor, size: int) -> tfd.Distribution:
    mean, raw = tf.split(tf.cast(parameters, tf.float32), [size, size * (size + 1) // 2], axis=-1)
    factor = tfp.math.fill_triangular(raw)
    factor = tf.linalg.set_diag(factor, positive(tf.linalg.diag_part(factor)))
    return tfd.MultivariateNormalTriL(mean, factor)


def _full_stddev(parameters: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the root of the row sums of L * L, with the entries of L in the order of `fill_triangular`."""
    entries = np.arange(size * (size + 1) // 2)
    indices = np.concatenate([entries[size:], entries[::-1]]).reshape(size, size)
    lower, diagonal = np.tril(np.ones((size, size), np.float32)), np.eye(size, dtype=np.float32)
    factor = tf.reshape(tf.gather(parameters[:, size:], indices.reshape(-1), axis=1), [-1, size, size])
    factor = (lower - diagonal) * factor + diagonal * positive(factor)
    return tf.sqrt(tf.reduce_sum(tf.square(factor), axis=2))


DIAGONAL_NORMAL = Posterior(
    "diagonal_normal",
    outputs=lambda size: 2 * size,
    distribution=_diagonal,
    stddev=lambda parameters, size: positive(parameters[:, size:]),
    reparameterize=lambda q, noise: q.distribution.loc + q.distribution.scale * noise,
    factorizes=True,
)
FULL_COVARIANCE_NORMAL = Posterior(
    "full_covariance_normal",
    outputs=lambda size: size + size * (size + 1) // 2,
    distribution=_full,
    stddev=_full_stddev,
    reparameterize=lambda q, noise: q.bijector.forward(noise),
    factorizes=False,
)
POSTERIORS = {posterior.name: posterior for posterior in (DIAGONAL_NORMAL, FULL_COVARIANCE_NORMAL)}


def get(name: str) -> Posterior:
    """Returns the posterior for a name: `diagonal_normal` or `full_covariance_normal`.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in POSTERIORS:
        raise ValueError(f"Expected posterior as one of {', '.join(POSTERIORS)}; received {name!r}")
    return POSTERIORS[name]
