"""The minimax objective of two known densities: its value function, optimal discriminator, and JS divergence.

For the densities p of the data and q of the generator, both of a scalar, and a discriminator D(x) = sigmoid(logit(x)):

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


def optimal_logit(p: tfd.Distribution, q: tfd.Distribution, x: np.ndarray | float) -> np.ndarray:
    """Returns log p(x) - log q(x), the log-odds of D*(x).

    Args:
        p: distribution of the data, a scalar.
        q: distribution of the generator, a scalar.
        x: points of any shape.

    Returns:
        float64 of x's shape: +inf where only p has density, -inf where only q has density, 0 where neither has
            density and D* is undefined.
    """
    log_p, log_q = log_densities(p, q, np.asarray(x))
    neither = np.isneginf(log_p) & np.isneginf(log_q)
    return np.where(neither, 0.0, np.where(neither, 0.0, log_p) - np.where(neither, 0.0, log_q))


def optimal_discriminator(p: tfd.Distribution, q: tfd.Distribution, x: np.ndarray | float) -> np.ndarray:
    """Returns D*(x) = p(x) / (p(x) + q(x)), computed from log-densities, so that far tails are not 0 / 0.

    Args:
        p: distribution of the data, a scalar.
        q: distribution of the generator, a scalar.
        x: points of any shape.

    Returns:
        float64 of x's shape, in [0, 1]; 1/2 where neither has density and D* is undefined.

    Example:
        >>> print(optimal_discriminator(tfd.Normal(0.0, 1.0), tfd.Normal(2.0, 1.0), 1.0))
        0.5
    """
    return scipy.special.expit(optimal_logit(p, q, x))


def jensen_shannon(p: tfd.Distribution, q: tfd.Distribution, limits: tuple[float, float] | None = None) -> float:
    """Returns JSD(p, q) = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats, by quadrature.

    Args:
        p: distribution of a scalar.
        q: distribution of a scalar.
        limits: (low, high) that contain the mass of both; None uses 12 standard deviations around the means.

    Returns:
        a number from 0 (equal) to log 2 (disjoint), accurate to about 1e-6 (float32 parameters).

    Raises:
        ValueError: for distributions that are not of a scalar, or limits that do not contain their mass.
    """

    def integrand(x: np.ndarray, log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
        log_m = np.logaddexp(log_p, log_q) - np.log(2.0)
        return 0.5 * (_weighted(log_p, log_p, log_m) + _weighted(log_q, log_q, log_m))

    return integrate(integrand, p, q, limits)


def value_function(
    discriminator: Callable,
    p: tfd.Distribution,
    q: tfd.Distribution,
    limits: tuple[float, float] | None = None,
) -> float:
    """Returns V(D) = E_p[log D(x)] + E_q[log(1 - D(x))] in nats, by quadrature.

    Args:
        discriminator: points [num, 1] -> logits [num, 1] or [num]: a Keras model, or
            `functools.partial(optimal_logit, p, q)`.
        p: distribution of the data, a scalar.
        q: distribution of the generator, a scalar.
        limits: (low, high) that contain the mass of both; None uses 12 standard deviations around the means.

    Returns:
        a number of at most 2 JSD(p, q) - log 4, the value V(D*).

    Raises:
        ValueError: as in `jensen_shannon`; also for a D whose errors are so confident that the value is not finite.
    """

    def integrand(x: np.ndarray, log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
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
    """Returns the mean absolute error |D(x) - D*(x)| under (p + q) / 2, by quadrature.

    Args:
        discriminator: as in `value_function`.
        p: distribution of the data, a scalar.
        q: distribution of the generator, a scalar.
        limits: as in `jensen_shannon`.

    Returns:
        a number from 0 to 1.

    Raises:
        ValueError: as in `jensen_shannon`.
    """

    def integrand(x: np.ndarray, log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
        error = np.abs(scipy.special.expit(_logits(discriminator, x)) - optimal_discriminator(p, q, x))
        return 0.5 * (np.exp(log_p) + np.exp(log_q)) * error

    return integrate(integrand, p, q, limits)


def _logits(discriminator: Callable, x: np.ndarray) -> np.ndarray:
    logits = np.asarray(discriminator(tf.constant(x[:, None], tf.float32)), np.float64)
    if logits.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(
            f"Expected one logit for each of {len(x)} points [num, 1]; received logits of the shape {logits.shape}"
        )
    return logits.reshape(-1)


def _expected(log_weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns exp(log_weight) * values, 0 where the weight is 0 (for any value)."""
    weight = np.exp(log_weight)
    return np.where(weight > 0, weight * np.where(weight > 0, values, 0.0), 0.0)


def _weighted(log_weight: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns exp(log_weight) * (first - second), 0 where the weight is 0."""
    positive = ~np.isneginf(log_weight)
    return _expected(log_weight, np.where(positive, first, 0.0) - np.where(positive, second, 0.0))
