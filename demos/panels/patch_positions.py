"""Positions of patches in an image, as text and as frames. A position is the (row, column) of a patch's center."""

import re
from collections.abc import Sequence

import numpy as np

OVERLAP = 0.25
FRAME = np.array([1.0, 0.1, 0.4], np.float32)

Position = tuple[int, int]


def format_positions(positions: Sequence[Position]) -> str:
    """Returns positions as text, such as `12, 20; 30, 8`."""
    return "; ".join(f"{row}, {column}" for row, column in positions)


def read_positions(text: str, image_size: Position, size: Position, max_patches: int) -> list[Position]:
    """Returns the positions in a text.

    Args:
        text: Text in the format of `format_positions`.
        image_size: (height, width) of the image.
        size: (height, width) of a patch.
        max_patches: Largest number of patches that the model takes.

    Raises:
        ValueError: If the text has another format, has no position or too many, or a patch would lie outside the image.
    """
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    if not parts:
        raise ValueError("There is no patch yet: click on the image, or select patches automatically")
    if len(parts) > max_patches:
        raise ValueError(f"Expected at most {max_patches} patches; received {len(parts)}: remove some")
    positions: list[Position] = []
    for number, part in enumerate(parts, start=1):
        if not re.fullmatch(r"-?\d{1,6}\s*,\s*-?\d{1,6}", part):
            raise ValueError(
                f"Expected row, column of the center of patch {number}, such as 12, 20; received {part[:40]!r}"
            )
        row, column = part.split(",")
        position = int(row), int(column)
        check_inside(position, image_size, size, f"Patch {number}")
        positions.append(position)
    return positions


def check_inside(position: Position, image_size: Position, size: Position, name: str = "The patch") -> None:
    """Checks that a patch lies inside the image.

    Args:
        position: Center of the patch.
        image_size: (height, width) of the image.
        size: (height, width) of the patch.
        name: Name of the patch in the message.

    Raises:
        ValueError: If the patch would lie outside; the message has the valid rows and columns.
    """
    (top, left), (bottom, right) = limits(image_size, size)
    if not (top <= position[0] <= bottom and left <= position[1] <= right):
        raise ValueError(
            f"{name} would lie outside the image. Expected a center in rows {top} to {bottom} and columns {left} to "
            f"{right}; received row {position[0]}, column {position[1]}"
        )


def limits(image_size: Position, size: Position) -> tuple[Position, Position]:
    """Returns the smallest and the largest (row, column) of a patch's center."""
    top, left = size[0] // 2, size[1] // 2
    return (top, left), (image_size[0] - size[0] + top, image_size[1] - size[1] + left)


def nearest_inside(position: Position, image_size: Position, size: Position) -> Position:
    """Returns the position nearest to `position` whose patch lies inside the image."""
    (top, left), (bottom, right) = limits(image_size, size)
    return int(np.clip(position[0], top, bottom)), int(np.clip(position[1], left, right))


def cut_patches(image: np.ndarray, positions: Sequence[Position], size: Position) -> np.ndarray:
    """Returns the pixels of the patches, [num, *size, channels]."""
    corners = [(row - size[0] // 2, column - size[1] // 2) for row, column in positions]
    return np.stack([image[top : top + size[0], left : left + size[1]] for top, left in corners])


def key_positions(image: np.ndarray, num: int, size: Position) -> list[Position]:
    """Returns the positions with the most gradient energy and little overlap, as in training.

    Args:
        image: [height, width, channels] in [0, 1].
        num: Largest number of positions.
        size: (height, width) of a patch.
    """
    energy = np.zeros(image.shape[:2])
    energy[:-1] += np.square(np.diff(image, axis=0)).sum(2)
    energy[:, :-1] += np.square(np.diff(image, axis=1)).sum(2)
    sums = np.pad(energy.cumsum(0).cumsum(1), [(1, 0), (1, 0)])
    height, width = size
    scores = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    rows, columns = np.indices(scores.shape)
    positions: list[Position] = []
    while len(positions) < num and scores.max() >= 0:
        top, left = np.unravel_index(scores.argmax(), scores.shape)
        positions.append((int(top) + height // 2, int(left) + width // 2))
        common = np.maximum(height - abs(rows - top), 0) * np.maximum(width - abs(columns - left), 0)
        scores = np.where(common / (2 * height * width - common) > OVERLAP, -1.0, scores)
    return positions


def framed(image: np.ndarray, positions: Sequence[Position], size: Position) -> np.ndarray:
    """Returns the image as RGB, with a frame of one pixel around each patch."""
    picture = np.repeat(image, 3 // image.shape[2], axis=2).copy()
    for row, column in positions:
        top, left = row - size[0] // 2, column - size[1] // 2
        bottom, right = top + size[0] - 1, left + size[1] - 1
        picture[[top, bottom], left : right + 1] = FRAME
        picture[top : bottom + 1, [left, right]] = FRAME
    return picture
