"""Planes in the space of codes: a map of a plane has positions (x, y) with x and y in [-1, 1]."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .codes import Codes


class Plane(NamedTuple):
    """The codes origin + x across + y up, for x and y in [-1, 1].

    Attributes:
        origin: [size], the code at (0, 0).
        across: [size], the direction of x.
        up: [size], the direction of y.
    """

    origin: np.ndarray
    across: np.ndarray
    up: np.ndarray

    def codes(self, positions: ArrayLike) -> np.ndarray:
        """Returns the codes at positions [num, 2] of (x, y), float32 [num, size]."""
        x, y = np.asarray(positions, np.float64).T[..., None]
        return (self.origin + x * self.across + y * self.up).astype(np.float32)

    def positions(self, codes: np.ndarray) -> np.ndarray:
        """Returns the positions [num, 2] of the points of the plane that are nearest to codes [num, size]."""
        axes = np.stack([self.across, self.up], axis=1)
        return np.linalg.lstsq(axes, (codes - self.origin).T, rcond=None)[0].T


def two_dimensions(codes: Codes, first: int, second: int, base: np.ndarray) -> Plane:
    """Returns the plane of two dimensions of the code over their whole range.

    Args:
        codes: The model's codes.
        first: Dimension of x.
        second: Dimension of y.
        base: [size], the code whose other dimensions the plane has.

    Raises:
        ValueError: If both dimensions are the same.
    """
    if first == second:
        raise ValueError(f"Expected two different dimensions; received z[{first}] twice")
    origin, half = np.array(base, np.float64), (codes.high - codes.low) / 2
    origin[[first, second]] = ((codes.high + codes.low) / 2)[[first, second]]
    axes = np.eye(codes.size)
    return Plane(origin, half[first] * axes[first], half[second] * axes[second])


def principal(codes: Codes) -> Plane:
    """Returns the plane of the first two principal components, three standard deviations to each side of the mean."""
    return Plane(codes.mean, *codes.directions)


def through(corner: np.ndarray, right: np.ndarray, above: np.ndarray) -> Plane:
    """Returns the plane through three codes [size]: the corner at (-1, -1), the others at (1, -1) and (-1, 1)."""
    return Plane((right + above) / 2, (right - corner) / 2, (above - corner) / 2)


def tiles(steps: int) -> np.ndarray:
    """Returns the centers of steps x steps tiles of a map, [steps**2, 2], row by row from the top left."""
    centers = (2 * np.arange(steps) + 1) / steps - 1
    return np.stack(np.meshgrid(centers, -centers), axis=-1).reshape(-1, 2)


def position_of(pixel: tuple[float, float], width: int, height: int) -> tuple[float, float]:
    """Returns the position (x, y) of a pixel (from the left, from the top) of a map of `width` x `height` pixels."""
    return 2 * (pixel[0] + 0.5) / width - 1, 1 - 2 * (pixel[1] + 0.5) / height
