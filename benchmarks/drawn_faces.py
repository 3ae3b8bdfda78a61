"""Drawn gray faces: soft shading, hair, eyes and mouth under a light from any side, as a stand-in for photographs."""

import numpy as np

SIZE = 32
# expression -> smallest and largest curve of the mouth, in which the corners are raised by curve * half width ** 2
EXPRESSIONS = {"frown": (-2.0, -1.0), "neutral": (-0.3, 0.3), "smile": (1.0, 2.0)}
_CURVES = (-0.25, 0.5)
_OVERSAMPLING = 2
_BLOCK = 500


def draw_faces(num: int, seed: int) -> np.ndarray:
    """Returns faces of different shape, tone, hair, expression, direction of the light and background.

    Args:
        num: Number of faces.
        seed: Seed of all of it.

    Returns:
        uint8 [num, 32, 32, 1].
    """
    return draw_described_faces(num, seed)[0]


def draw_described_faces(num: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns the same faces, and the numbers from which they are drawn.

    Args:
        num: Number of faces.
        seed: Seed of all of it.

    Returns:
        The faces, uint8 [num, 32, 32, 1], and float32 [num] of each name: `tone` of the skin and `background`, from
        black (0) to white (1); `hair`, its tone relative to that of the skin; and `light`, from the left (-0.35) to the
        right (0.35).
    """
    return _draw_blocks(np.tile(np.float32(_CURVES), (num, 1)), seed)


def draw_expressions(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns faces with given expressions, which differ in nothing but the mouth's curve, a few pixels.

    The same seed gives the same faces for other labels.

    Args:
        labels: Integers [num], indices of `EXPRESSIONS`.
        seed: Seed of all but the expression.

    Returns:
        uint8 [num, 32, 32, 1].
    """
    return _draw_blocks(np.float32(list(EXPRESSIONS.values()))[labels], seed)[0]


def _draw_blocks(curves: np.ndarray, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    generator = np.random.default_rng(seed)
    blocks = [_draw(curves[start : start + _BLOCK], generator) for start in range(0, len(curves), _BLOCK)]
    numbers = {name: np.concatenate([each[name] for _, each in blocks]) for name in blocks[0][1]}
    return np.concatenate([images for images, _ in blocks]), numbers


def _draw(curves: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns faces whose mouths have a curve between the values of `curves`, [num, 2], and their numbers."""
    num = len(curves)
    side = SIZE * _OVERSAMPLING
    y, x = ((np.mgrid[:side, :side] + 0.5) / side * 2 - 1).astype(np.float32)  # -1 to 1

    def uniform(low: float, high: float) -> np.ndarray:
        return generator.uniform(low, high, (num, 1, 1)).astype(np.float32)

    center_x, center_y = uniform(-0.12, 0.12), uniform(-0.1, 0.12)
    width, height = uniform(0.45, 0.6), uniform(0.62, 0.78)
    u, v = (x - center_x) / width, (y - center_y) / height
    radius = np.hypot(u, v)
    light_x, light_y = uniform(-0.35, 0.35), uniform(-0.25, 0.1)
    tone, background = uniform(0.35, 0.8), uniform(0.15, 0.85)
    image = background + uniform(-0.2, 0.2) * y + uniform(-0.1, 0.1) * x
    hair = _inside(np.hypot(u / 1.15, (v + 0.12) / 1.12), 1.0)
    hair_tone = uniform(0.1, 0.9)
    image = _blend(image, tone * hair_tone + 0.05 * np.sin(u * uniform(8, 20)), hair)
    shading = tone * (1 + light_x * u + light_y * v) - 0.18 * np.clip(radius, 0, 1) ** 4
    face = _inside(radius, 1.0) * _sigmoid((v - uniform(-0.75, -0.45) - 0.25 * u**2) * 25)
    image = _blend(image, shading, face)
    eye_y, eye_x, eye_size = uniform(-0.2, -0.05), uniform(0.32, 0.42), uniform(0.1, 0.15)
    look = uniform(-0.05, 0.05)
    for side_of_face in (-1, 1):
        a, b = u - side_of_face * eye_x, v - eye_y
        image = _blend(image, np.minimum(tone + 0.25, 0.95), _inside(np.hypot(a / 1.4, b), eye_size))
        image = _blend(image, 0.08, _inside(np.hypot(a - look, b), 0.6 * eye_size))
        brow = np.exp(-((a / 0.2) ** 4) - ((b + 0.22 + 0.3 * a**2) / 0.05) ** 2)
        image = image - 0.5 * tone * brow
    nose = np.exp(-((u - 0.06 * np.sign(light_x)) ** 2) / 0.01 - (v - 0.18) ** 2 / 0.03)
    image = image + 0.12 * tone * nose
    low, high = curves[:, :1, None], curves[:, 1:, None]
    curve, mouth_y, mouth = low + (high - low) * uniform(0, 1), uniform(0.45, 0.58), uniform(0.22, 0.4)
    line = (v - mouth_y - curve * (mouth**2 - u**2)) / uniform(0.05, 0.1)
    image = _blend(image, 0.45 * tone, np.exp(-(line**2) - (u / mouth) ** 6))
    image = image.reshape(num, SIZE, _OVERSAMPLING, SIZE, _OVERSAMPLING).mean((2, 4))
    grain = generator.normal(0, 0.015, image.shape)
    numbers = {"tone": tone, "background": background, "hair": hair_tone, "light": light_x}
    return (
        np.rint(255 * np.clip(image + grain, 0, 1)).astype(np.uint8)[..., None],
        {name: values.reshape(num) for name, values in numbers.items()},
    )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def _inside(radius: np.ndarray, edge: np.ndarray | float) -> np.ndarray:
    """Returns 1 inside and 0 outside of a soft edge."""
    return _sigmoid((edge - radius) * 30)


def _blend(image: np.ndarray, color: np.ndarray | float, weight: np.ndarray) -> np.ndarray:
    return image + weight * (color - image)
