"""Planes through the space of codes: where a point of a 2-D map lies in it."""

from typing import NamedTuple

import numpy as np

from .codes import Codes


class Plane(NamedTuple):
    """The codes origin + x across + y up, for x and y in [-1, 1].

    Attributes:
        origin, across, up: [size].
    """

    origin: np.ndarray
    across: np.ndarray
    up: np.ndarray

    def codes(self, places: np.ndarray) -> np.ndarray:
        """Places [num, 2] of (x, y) -> codes float32 [num, size]."""
        x, y = np.asarray(places, np.float64).T[..., None]
        return (self.origin + x * self.across + y * self.up).astype(np.float32)

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Codes [num, size] -> the places [num, 2] of the points of the plane that lie nearest."""
        axes = np.stack([self.across, self.up], axis=1)
        return np.linalg.lstsq(axes, (codes - self.origin).T, rcond=None)[0].T


def two_dimensions(codes: Codes, first: int, second: int, base: np.ndarray) -> Plane:
    """The plane of two dimensions of the code over their whole range; the others stay as they are in `base` [size]."""
    if first == second:
        raise ValueError(f"The map needs two different dimensions; both are z[{first}]")
    origin, half = np.array(base, np.float64), (codes.high - codes.low) / 2
    origin[[first, second]] = ((codes.high + codes.low) / 2)[[first, second]]
    axes = np.eye(codes.size)
    return Plane(origin, half[first] * axes[first], half[second] * axes[second])


def principal(codes: Codes) -> Plane:
    """The plane of the two directions in which codes vary most, three standard deviations to each side."""
    return Plane(codes.mean, *codes.directions)


def through(corner: np.ndarray, right: np.ndarray, above: np.ndarray) -> Plane:
    """The plane through three codes [size]: the corner at (-1, -1), the others at (1, -1) and (-1, 1)."""
    return Plane((right + above) / 2, (right - corner) / 2, (above - corner) / 2)


def tiles(steps: int) -> np.ndarray:
    """The middles of steps x steps tiles of the map as places [steps**2, 2], row by row from the top left."""
    middles = (2 * np.arange(steps) + 1) / steps - 1
    return np.stack(np.meshgrid(middles, -middles), axis=-1).reshape(-1, 2)


def place_of(pixel: tuple[float, float], width: int, height: int) -> tuple[float, float]:
    """The place (x, y) of a pixel (from the left, from the top) of a map of that size."""
    return 2 * (pixel[0] + 0.5) / width - 1, 1 - 2 * (pixel[1] + 0.5) / height
