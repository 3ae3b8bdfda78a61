"""The minimax game between two known densities: the optimal discriminator, the game's value, the divergence behind it.

For the data's density p and the generator's q on the line, with a discriminator D(x) = sigmoid(logit(x)):

    V(D) = E_p[log D(x)] + E_q[log(1 - D(x))],   argmax V = D* = p / (p + q),   V(D*) = 2 JSD(p, q) - log 4.

Reference:
    Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661: eq. 1, proposition 1 (eq. 2), theorem 1.
"""

from collections.abc import Callable

import numpy as np
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from .quadrature import integrate, log_densities

tfd = tfp.distributions


def optimal_logit(p: tfd.Distribution, q: tfd.Distribution, x) -> np.ndarray:
    """log p(x) - log q(x), the log-odds of D*(x); float64 of x's shape.

    Args:
        p, q: distributions of a scalar; p is the data's.
        x: points of any shape.

    Returns:
        +inf where only p has density, -inf where only q has. Where neither has, D* is not defined, and this is 0.
    """
    log_p, log_q = log_densities(p, q, np.asarray(x))
    neither = np.isneginf(log_p) & np.isneginf(log_q)
    return np.where(neither, 0.0, np.where(neither, 0.0, log_p) - np.where(neither, 0.0, log_q))


def optimal_discriminator(p: tfd.Distribution, q: tfd.Distribution, x) -> np.ndarray:
    """D*(x) = p(x) / (p(x) + q(x)), by the log-densities, so that far tails do not become 0 / 0.

    Args:
        p, q: distributions of a scalar; p is the data's.
        x: points of any shape.

    Returns:
        float64 of x's shape, in [0, 1]; 1/2 where neither has density and D* is not defined.

    Example:
        >>> optimal_discriminator(tfd.Normal(0.0, 1.0), tfd.Normal(2.0, 1.0), 1.0)
        0.5
    """
    return scipy.special.expit(optimal_logit(p, q, x))


def jensen_shannon(p: tfd.Distribution, q: tfd.Distribution, limits: tuple[float, float] | None = None) -> float:
    """JSD(p, q) = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats, by quadrature.

    Args:
        p, q: distributions of a scalar.
        limits: (low, high) that hold the mass of both; None takes 12 standard deviations around the means.

    Returns:
        0 (equal) to log 2 (disjoint), to about 1e-6 (parameters of float32).

    Raises:
        ValueError: for distributions of no scalar, or limits that do not hold their mass.
    """

    def integrand(x, log_p, log_q):
        log_m = np.logaddexp(log_p, log_q) - np.log(2.0)
        return 0.5 * (_weighted(log_p, log_p, log_m) + _weighted(log_q, log_q, log_m))

    return integrate(integrand, p, q, limits)


def game_value(
    discriminator: Callable,
    p: tfd.Distribution,
    q: tfd.Distribution,
    limits: tuple[float, float] | None = None,
) -> float:
    """V(D) = E_p[log D(x)] + E_q[log(1 - D(x))] in nats, by quadrature.

    Args:
        discriminator: points [num, 1] -> logits [num, 1] or [num]: a Keras model as it is, or
            `functools.partial(optimal_logit, p, q)`.
        p, q: distributions of a scalar; p is the data's.
        limits: (low, high) that hold the mass of both; None takes 12 standard deviations around the means.

    Returns:
        At most 2 JSD(p, q) - log 4, which D* reaches.

    Raises:
        ValueError: as `jensen_shannon`; also for a D so sure and so wrong that the value is not finite.
    """

    def integrand(x, log_p, log_q):
        logit = _logits(discriminator, x)
        # log D = -softplus(-logit), log(1 - D) = -softplus(logit)
        return -_expected(log_p, np.logaddexp(0.0, -logit)) - _expected(log_q, np.logaddexp(0.0, logit))

    return integrate(integrand, p, q, limits)


def discriminator_error(
    discriminator: Callable,
    p: tfd.Distribution,
    q: tfd.Distribution,
    limits: tuple[float, float] | None = None,
) -> float:
    """Mean absolute error |D(x) - D*(x)| under (p + q) / 2, by quadrature; the arguments are those of `game_value`.

    Returns:
        0 to 1.
    """

    def integrand(x, log_p, log_q):
        error = np.abs(scipy.special.expit(_logits(discriminator, x)) - optimal_discriminator(p, q, x))
        return 0.5 * (np.exp(log_p) + np.exp(log_q)) * error

    return integrate(integrand, p, q, limits)


def _logits(discriminator: Callable, x: np.ndarray) -> np.ndarray:
    logits = np.asarray(discriminator(tf.constant(x[:, None], tf.float32)), np.float64)
    if logits.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(
            f"The discriminator must give one logit for each of {len(x)} points [num, 1]; it gives {logits.shape}"
        )
    return logits.reshape(-1)


def _expected(log_weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """exp(log_weight) * values, 0 where the weight is 0 (whatever the value)."""
    weight = np.exp(log_weight)
    return np.where(weight > 0, weight * np.where(weight > 0, values, 0.0), 0.0)


def _weighted(log_weight: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """exp(log_weight) * (first - second), 0 where the weight is 0."""
    there = ~np.isneginf(log_weight)
    return _expected(log_weight, np.where(there, first, 0.0) - np.where(there, second, 0.0))
