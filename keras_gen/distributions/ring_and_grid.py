"""Mixtures of Gaussians on a ring and on a grid, the benchmarks of mode coverage."""

import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


def gaussian_ring(components: int = 8, *, radius: float = 1.0, scale: float = 0.01) -> tfd.MixtureSameFamily:
    """Returns equal 2-D Gaussians with means on a circle around 0, the first at (radius, 0).

    Args:
        components: number of Gaussians, >= 1.
        radius: radius of the circle.
        scale: standard deviation in each dimension, > 0; the paper's variance is 1e-4.

    Returns:
        a mixture with event shape [2]; its means are `.components_distribution.mean()`, [components, 2].

    Reference:
        Lin, Khetan, Fanti, Oh 2017, PacGAN, arXiv:1712.04086 (2D-ring).
    """
    angles = 2 * math.pi * np.arange(components) / components
    return _mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), scale)


def gaussian_grid(grid_size: int = 5, *, spacing: float = 2.0, scale: float = 0.05) -> tfd.MixtureSameFamily:
    """Returns grid_size * grid_size equal 2-D Gaussians with means on a square grid around 0.

    Args:
        grid_size: Gaussians per row, >= 1.
        spacing: distance between neighbors.
        scale: standard deviation in each dimension, > 0; the paper's variance is 0.0025.

    Returns:
        a mixture with event shape [2]; its means are `.components_distribution.mean()`, [grid_size * grid_size, 2].

    Reference:
        Lin, Khetan, Fanti, Oh 2017, PacGAN, arXiv:1712.04086 (2D-grid).
    """
    ticks = spacing * (np.arange(grid_size) - (grid_size - 1) / 2)
    return _mixture(np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2), scale)


def _mixture(means: np.ndarray, scale: float) -> tfd.MixtureSameFamily:
    if len(means) < 1 or scale <= 0:
        raise ValueError(f"Expected at least one Gaussian and scale > 0; received {len(means)} and scale={scale}")
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=tf.zeros([len(means)])),
        tfd.MultivariateNormalDiag(tf.constant(means, tf.float32), scale * tf.ones([len(means), 2])),
    )
