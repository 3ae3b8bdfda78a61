"""Simple drawings, so that visitors can try a model that needs an image without uploading a file."""

import numpy as np
from PIL import Image, ImageDraw

NAMES = ("face", "star", "house")
COLORS = ((250, 200, 60), (225, 60, 60), (70, 150, 230), (110, 190, 90), (170, 100, 200))
SUPERSAMPLING = 8  # drawings are this much larger and scaled down, for smooth edges


def draw(name: str, image_shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Returns a drawing, large and centered on white: float32 [height, width, 1 or 3] in [0, 1].

    Args:
        name: One of `NAMES`.
        image_shape: (height, width, channels).
        seed: Seed of the color, >= 0.

    Raises:
        ValueError: For another name.
    """
    if name not in NAMES:
        raise ValueError(f"Expected one of {', '.join(NAMES)}; received {name!r}")
    height, width, channels = image_shape
    side = min(height, width) * SUPERSAMPLING
    picture = Image.new("RGB", (side, side), "white")
    _DRAW[name](ImageDraw.Draw(picture), side, COLORS[seed % len(COLORS)])
    whole = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING), "white")
    whole.paste(picture, ((whole.width - side) // 2, (whole.height - side) // 2))
    whole = whole.resize((width, height), Image.Resampling.BOX).convert("L" if channels == 1 else "RGB")
    return np.asarray(whole, np.float32).reshape(image_shape) / 255


def _face(draw, side, color):
    draw.ellipse(_part(side, 0.05, 0.05, 0.95, 0.95), fill=color)
    for left in (0.28, 0.6):
        draw.ellipse(_part(side, left, 0.28, left + 0.12, 0.46), fill=(90, 60, 20))
    draw.chord(_part(side, 0.25, 0.4, 0.75, 0.82), 0, 180, fill=(90, 60, 20))


def _star(draw, side, color):
    angles = -np.pi / 2 + np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 0.47, 0.2) * side
    corners = [(side / 2 + r * np.cos(a), side / 2 + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    draw.polygon(corners, fill=color)


def _house(draw, side, color):
    draw.rectangle(_part(side, 0.15, 0.45, 0.85, 0.95), fill=color)
    draw.polygon(
        [(0.05 * side, 0.48 * side), (0.5 * side, 0.05 * side), (0.95 * side, 0.48 * side)], fill=(150, 75, 50)
    )
    draw.rectangle(_part(side, 0.42, 0.65, 0.58, 0.95), fill=(90, 60, 40))


def _part(side, *corners):
    return [corner * side for corner in corners]


_DRAW = {"face": _face, "star": _star, "house": _house}
