"""Integrals over the line that two known densities weight."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

# The line is first cut into this many pieces: an adaptive rule that starts with one may step over a narrow peak. All
# pieces of a level are computed in one call (scipy's adaptive rules take one at a time, and a call of a distribution
# or a network costs a millisecond).
PIECES = 64
# each is halved until its Gauss-Legendre sum and that of its halves agree to this
TOLERANCE = 1e-8
# num_downsamples: a jump needs about 25
LEVELS = 45
# that wait to be halved at once; a jump leaves one
INTERVALS = 100_000
# the densities must hold their mass between the limits up to this
MASS = 1e-4

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)


def log_densities(p: tfd.Distribution, q: tfd.Distribution, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log p(x) and log q(x), float64 of x's shape; -inf outside a support."""
    return _log_density(p, x), _log_density(q, x)


def integrate(
    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    p: tfd.Distribution,
    q: tfd.Distribution,
    limits: tuple[float, float] | None = None,
) -> float:
    """Integrate f(x, log p(x), log q(x)) over the line, adaptively.

    Args:
        function: points [num], their log-densities [num] and [num] -> values [num].
        p, q: distributions of a scalar: batch shape [] and event shape [].
        limits: (low, high) that hold the mass of both; None takes 12 standard deviations around the means.

    Raises:
        ValueError: for distributions of no scalar, limits that are unknown or leave out mass, an integral that is not
            finite, a function that jumps everywhere.
    """
    for distribution in (p, q):
        if tuple(distribution.batch_shape) or tuple(distribution.event_shape):
            raise ValueError(
                f"Expected two distributions of one number (batch shape [] and event shape []); received {distribution}"
            )
    low, high = _limits(p, q) if limits is None else map(float, limits)
    if not low < high:
        raise ValueError(f"limits must be (low, high) with low < high; received ({low}, {high})")

    def with_masses(x):
        log_p, log_q = log_densities(p, q, x)
        return np.stack([function(x, log_p, log_q), np.exp(log_p), np.exp(log_q)], axis=1)

    value, *masses = _adaptive(with_masses, low, high)
    if not np.all(np.abs(np.array(masses) - 1) < MASS):
        raise ValueError(
            f"Between {low:g} and {high:g} the densities hold {masses[0]:.4f} and {masses[1]:.4f} of their mass; "
            "pass limits=(low, high) that hold all of it and are not much wider"
        )
    return float(value)


def _adaptive(function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> np.ndarray:
    """The integrals of a function [num] -> [num, integrals]: [integrals]."""
    edges = np.linspace(low, high, PIECES + 1)
    a, b, total = edges[:-1], edges[1:], 0.0
    whole = _gauss_legendre(function, a, b)
    for _ in range(LEVELS):
        middle = (a + b) / 2
        left, right = np.split(_gauss_legendre(function, np.append(a, middle), np.append(middle, b)), 2)
        if not np.all(np.isfinite(left + right)):
            raise ValueError(f"The integral between {low:g} and {high:g} is not finite")
        split = np.abs(left + right - whole).max(axis=1) > TOLERANCE
        total = total + (left + right)[~split].sum(axis=0)
        a, b = np.append(a[split], middle[split]), np.append(middle[split], b[split])
        whole = np.concatenate([left[split], right[split]])
        if not len(a):
            break
        if len(a) > INTERVALS:
            raise ValueError(
                f"The integral between {low:g} and {high:g} does not settle: the function jumps everywhere (a "
                "discriminator that draws random numbers; float32 densities far from 0, which need float64 parameters)"
            )
    return total + whole.sum(axis=0)


def _gauss_legendre(function: Callable[[np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Integrals over the intervals a to b [num]: [num, integrals]."""
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
            mean, deviation = float(distribution.mean()), float(distribution.stddev())
        except NotImplementedError:
            mean = deviation = np.nan
        ends += [mean - 12 * deviation, mean + 12 * deviation]
    if not np.all(np.isfinite(ends)):
        raise ValueError("A distribution has no finite mean and variance: pass limits=(low, high) that hold its mass")
    return min(ends), max(ends)
