"""Adaptive quadrature of functions of two known densities of a scalar."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

# Number of initial intervals: an adaptive rule that starts with one may miss a narrow peak. All intervals of a level
# are computed in one call (scipy's adaptive rules compute one at a time, and a call of a distribution or a network
# takes a millisecond).
INITIAL_INTERVALS = 64
# An interval is bisected until its Gauss-Legendre sum and that of its halves agree to this tolerance.
TOLERANCE = 1e-8
# Maximum number of bisections; a discontinuity needs about 25.
MAX_BISECTIONS = 45
# Maximum number of intervals per level; a discontinuity leaves one.
MAX_INTERVALS = 100_000
# The limits must contain the mass of the densities up to this tolerance.
MASS_TOLERANCE = 1e-4

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)


def log_densities(p: tfd.Distribution, q: tfd.Distribution, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns log p(x) and log q(x), float64 of x's shape; -inf outside a support."""
    return _log_density(p, x), _log_density(q, x)


def integrate(
    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    p: tfd.Distribution,
    q: tfd.Distribution,
    limits: tuple[float, float] | None = None,
) -> float:
    """Returns the integral of f(x, log p(x), log q(x)) over the real line.

    Args:
        function: points [num], their log-densities [num] and [num] -> values [num].
        p: distribution of a scalar: batch shape [] and event shape [].
        q: distribution of a scalar.
        limits: (low, high) that contain the mass of both; None uses 12 standard deviations around the means.

    Raises:
        ValueError: for distributions that are not of a scalar, limits that are unknown or exclude mass, an integral
            that is not finite, or a function that is discontinuous everywhere.
    """
    for distribution in (p, q):
        if tuple(distribution.batch_shape) or tuple(distribution.event_shape):
            raise ValueError(
                f"Expected two distributions of a scalar (batch shape [] and event shape []); received {distribution}"
            )
    low, high = _limits(p, q) if limits is None else map(float, limits)
    if not low < high:
        raise ValueError(f"Expected limits as (low, high) with low < high; received ({low}, {high})")

    def with_masses(x: np.ndarray) -> np.ndarray:
        log_p, log_q = log_densities(p, q, x)
        return np.stack([function(x, log_p, log_q), np.exp(log_p), np.exp(log_q)], axis=1)

    value, *masses = _adaptive(with_masses, low, high)
    if not np.all(np.abs(np.array(masses) - 1) < MASS_TOLERANCE):
        raise ValueError(
            f"Expected limits that contain the mass of both densities; received ({low:g}, {high:g}) with "
            f"{masses[0]:.4f} and {masses[1]:.4f} of it: pass limits=(low, high) that contain all of it and are not "
            "much wider"
        )
    return float(value)


def _adaptive(function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> np.ndarray:
    """Returns the integrals [integrals] of a function [num] -> [num, integrals]."""
    edges = np.linspace(low, high, INITIAL_INTERVALS + 1)
    a, b, total = edges[:-1], edges[1:], 0.0
    whole = _gauss_legendre(function, a, b)
    for _ in range(MAX_BISECTIONS):
        middle = (a + b) / 2
        left, right = np.split(_gauss_legendre(function, np.append(a, middle), np.append(middle, b)), 2)
        if not np.all(np.isfinite(left + right)):
            raise ValueError(
                f"Expected a finite integral; received one between {low:g} and {high:g} that is not finite"
            )
        split = np.abs(left + right - whole).max(axis=1) > TOLERANCE
        total = total + (left + right)[~split].sum(axis=0)
        a, b = np.append(a[split], middle[split]), np.append(middle[split], b[split])
        whole = np.concatenate([left[split], right[split]])
        if not len(a):
            break
        if len(a) > MAX_INTERVALS:
            raise ValueError(
                f"Expected an integral that converges; received one between {low:g} and {high:g} of a function that is "
                "discontinuous everywhere (a discriminator with random numbers, or float32 densities far from 0, which "
                "need float64 parameters)"
            )
    return total + whole.sum(axis=0)


def _gauss_legendre(function: Callable[[np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the integrals [num, integrals] over the intervals from a to b [num]."""
    half = (b - a)[:, None] / 2
    x = (a + b)[:, None] / 2 + half * _NODES
    values = function(x.reshape(-1)).reshape(*x.shape, -1)
    return half * np.einsum("n,pni->pi", _WEIGHTS, values)


def _log_density(distribution: tfd.Distribution, x: np.ndarray) -> np.ndarray:
    log_density = distribution.log_prob(tf.constant(x, distribution.dtype)).numpy().astype(np.float64)
    return np.where(np.isnan(log_density), -np.inf, log_density)  # some families give NaN outside their support


def _limits(p: tfd.Distribution, q: tfd.Distribution) -> tuple[float, float]:
    ends = []
    for distribution in (p, q):
        try:
            mean, stddev = float(distribution.mean()), float(distribution.stddev())
        except NotImplementedError:
            mean = stddev = np.nan
        ends += [mean - 12 * stddev, mean + 12 * stddev]
    if not np.all(np.isfinite(ends)):
        raise ValueError(
            "Expected distributions with a finite mean and variance; received one without: pass limits=(low, high)"
        )
    return min(ends), max(ends)
