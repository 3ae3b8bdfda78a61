"""Renders `shapes` with signed distance functions of the factors, so that edges are smooth at any size."""

from collections.abc import Callable

import numpy as np

from .factors import FACTORS, Factors

COLORS = (
    np.array(
        [
            (214, 39, 40),  # red
            (250, 130, 20),  # orange
            (250, 215, 40),  # yellow
            (40, 150, 60),  # green
            (60, 205, 220),  # cyan
            (35, 75, 200),  # blue
            (130, 50, 170),  # purple
            (250, 130, 190),  # pink
        ],
        np.float32,
    )
    / 255
)
PERIODS = np.array([11.0, 15.5], np.float32) / 64  # fine and coarse, in units of the image size
DOTS = 0.85  # period of dots relative to that of stripes and checks
RIM = 1.4 / 64
_CHUNK = 64


def render_shapes(factors: Factors, size: int = 64) -> np.ndarray:
    """Renders images.

    Args:
        factors: Factors of n images.
        size: Height and width in pixels.

    Returns:
        uint8 [n, size, size, 3].

    Raises:
        ValueError: For a size below 8.

    Example:
        >>> render_shapes(Factors.named(shape="heart", color="red")).shape
        (1, 64, 64, 3)

    Reference:
        The signed distance functions follow I. Quilez, "2D distance functions".
    """
    if size < 8:
        raise ValueError(f"Expected size >= 8 pixels; received {size!r}.")
    out = np.empty((len(factors), size, size, 3), np.uint8)
    for shape in range(len(FACTORS["shape"])):
        rows = np.flatnonzero(factors.shape == shape)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            out[chunk] = _draw(factors[chunk], _DISTANCES[shape], size)
    return out


def _draw(factors: Factors, distance: Callable, size: int) -> np.ndarray:
    centers = (np.arange(size, dtype=np.float32) + 0.5) / size
    x = centers[None, None, :] - factors.x[:, None, None]
    y = factors.y[:, None, None] - centers[None, :, None]  # upwards
    radius = factors.radius[:, None, None]

    u, v = _turn(x, y, factors.angle)
    depth = -distance(u / radius, v / radius) * radius * size  # pixels from the edge, positive inside
    inside = _cover(depth)
    # A rim in the object's own color, since pale stripes on white would hide the outline.
    own = np.maximum(_own_color(x, y, factors, size), _cover(RIM * size - depth))
    main = COLORS[factors.color]
    pale, dark = 0.25 * main + 0.75, 0.35 * main
    second = np.where(factors.texture_color[:, None] == 0, pale, dark)

    background = factors.shade[:, None]
    # background + inside * (second - background + own * (main - second)), one channel at a time
    image = np.empty((*inside.shape, 3), np.float32)
    for c in range(3):
        step = (second[:, c : c + 1] - background)[:, :, None]
        blend = (main[:, c : c + 1] - second[:, c : c + 1])[:, :, None]
        image[..., c] = background[:, :, None] + inside * (step + own * blend)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _own_color(x: np.ndarray, y: np.ndarray, factors: Factors, size: int) -> np.ndarray:
    """Returns the fraction of each pixel with the object's own color instead of the second one, [n, size, size]."""
    period = np.where(factors.texture == 2, DOTS, 1.0).astype(np.float32) * PERIODS[factors.texture_period]
    period = period[:, None, None]
    u, v = _turn(x, y, 45.0 * factors.texture_angle)
    u = u / period + 0.5 * factors.texture_phase[:, None, None]
    v = v / period
    du, dv = np.abs(u - np.rint(u)), np.abs(v - np.rint(v))
    pixels = period * size
    texture = factors.texture[:, None, None]
    across, along = _cover((0.25 - dv) * pixels), _cover((0.25 - du) * pixels)
    own = np.where(texture == 1, along, 1.0)
    own = np.where(texture == 2, _cover((np.sqrt(du * du + dv * dv) - 0.3) * pixels), own)
    return np.where(texture == 3, along * across + (1 - along) * (1 - across), own)


def _turn(x: np.ndarray, y: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the coordinates in a frame that is rotated counterclockwise."""
    angle = np.deg2rad(degrees).astype(np.float32)[:, None, None]
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def _cover(pixels: np.ndarray) -> np.ndarray:
    """Returns the fraction of a pixel inside an edge, from the distance of its center in pixels (positive inside)."""
    return np.clip(pixels + 0.5, 0, 1)


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y) - 0.9


def _box(x: np.ndarray, y: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    dx, dy = np.abs(x) - half_width, np.abs(y) - half_height
    outside = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
    return outside + np.minimum(np.maximum(dx, dy), 0)


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _box(x, y, 0.75, 0.75)


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _polygon(x, y, [(0, 1), (-(0.75**0.5), -0.5), (0.75**0.5, -0.5)])


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    angles = np.pi / 2 + np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 1.0, 0.52)
    return _polygon(x, y, list(zip(radii * np.cos(angles), radii * np.sin(angles), strict=True)))


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns a heart: two circles at the top, and the lower half of a square on its corner at the bottom."""
    scale = 1.55
    x, y = np.abs(x) / scale, y / scale + 0.56
    lobe = np.sqrt((x - 0.25) ** 2 + (y - 0.75) ** 2) - np.sqrt(0.125)
    edge = np.maximum(x + y, 0) / 2
    below = np.sqrt(np.minimum(x**2 + (y - 1) ** 2, (x - edge) ** 2 + (y - edge) ** 2))
    return scale * np.where(x + y > 1, lobe, below * np.sign(x - y))


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.minimum(_box(x, y, 0.92, 0.37), _box(x, y, 0.37, 0.92))


def _polygon(x: np.ndarray, y: np.ndarray, corners: list[tuple[float, float]]) -> np.ndarray:
    """Returns the distance to the nearest edge, negative where a ray crosses an odd number of edges."""
    nearest = np.full(np.broadcast(x, y).shape, np.inf, np.float32)
    inside = np.zeros(nearest.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        ex, ey = bx - ax, by - ay
        wx, wy = x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
        if ey != 0:
            inside ^= ((ay > y) != (by > y)) & (x < ex * (y - ay) / ey + ax)
    return np.where(inside, -1, 1) * np.sqrt(nearest)


_DISTANCES = (_circle, _square, _triangle, _star, _heart, _cross)  # in the order of FACTORS["shape"]
