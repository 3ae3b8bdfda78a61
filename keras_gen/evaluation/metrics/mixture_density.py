"""Log densities of mixtures with thousands of components: a VampPrior, or the aggregate posterior of a dataset."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


def log_density(distribution: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns `distribution.log_prob`; for a mixture of diagonal normals, an equal function by one matrix product.

    With a = 1 / s^2, the squared distance of z to a component is [z^2, z] . [a, -2 m a] + sum m^2 a. TFP computes a
    tensor [..., components, size], this function [..., components]. It uses float64, because the three terms cancel.

    Args:
        distribution: a TFP distribution over codes [size], with batch shape [].

    Returns:
        codes [..., size] -> float32 [...], nats.
    """
    if not isinstance(distribution, tfd.MixtureSameFamily):
        return distribution.log_prob
    components = distribution.components_distribution
    if not (isinstance(components, tfd.Independent) and isinstance(components.distribution, tfd.Normal)):
        return distribution.log_prob
    loc = tf.cast(components.distribution.loc, tf.float64)
    scale = tf.cast(components.distribution.scale, tf.float64)
    precision = 1.0 / tf.square(scale)
    factors = tf.concat([precision, -2.0 * loc * precision], axis=1)
    size = loc.shape[-1]
    constants = (
        tf.cast(tf.math.log_softmax(distribution.mixture_distribution.logits_parameter()), tf.float64)
        - 0.5 * tf.reduce_sum(tf.square(loc) * precision, axis=1)
        - tf.reduce_sum(tf.math.log(scale), axis=1)
        - 0.5 * size * math.log(2.0 * math.pi)
    )

    def log_prob(codes: tf.Tensor) -> tf.Tensor:
        flat = tf.cast(tf.reshape(codes, [-1, size]), tf.float64)
        squares = tf.matmul(tf.concat([tf.square(flat), flat], axis=1), factors, transpose_b=True)
        values = tf.reduce_logsumexp(tf.cast(constants - 0.5 * squares, tf.float32), axis=1)
        return tf.reshape(values, tf.shape(codes)[:-1])

    return log_prob
