"""Places of patches in an image, as text and as frames. A place is the (row, column) of a patch's center."""

import re
from collections.abc import Sequence

import numpy as np

OVERLAP = 0.25
FRAME = np.array([1.0, 0.1, 0.4], np.float32)

Place = tuple[int, int]


def format_places(places: Sequence[Place]) -> str:
    """Returns places as text, such as `12, 20; 30, 8`."""
    return "; ".join(f"{row}, {column}" for row, column in places)


def read_places(text: str, image_size: Place, size: Place, max_patches: int) -> list[Place]:
    """Returns the places in a text.

    Args:
        text: Text in the format of `format_places`.
        image_size: (height, width) of the image.
        size: (height, width) of a patch.
        max_patches: Largest number of patches that the model takes.

    Raises:
        ValueError: If the text has another format, has no place or too many, or a patch would lie outside the image.
    """
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    if not parts:
        raise ValueError("There is no patch yet: click on the image, or select patches automatically")
    if len(parts) > max_patches:
        raise ValueError(f"Expected at most {max_patches} patches; received {len(parts)}: remove some")
    places: list[Place] = []
    for number, part in enumerate(parts, start=1):
        if not re.fullmatch(r"-?\d{1,6}\s*,\s*-?\d{1,6}", part):
            raise ValueError(
                f"Expected row, column of the center of patch {number}, such as 12, 20; received {part[:40]!r}"
            )
        row, column = part.split(",")
        place = int(row), int(column)
        check_inside(place, image_size, size, f"Patch {number}")
        places.append(place)
    return places


def check_inside(place: Place, image_size: Place, size: Place, name: str = "The patch") -> None:
    """Checks that a patch lies inside the image.

    Args:
        place: Center of the patch.
        image_size: (height, width) of the image.
        size: (height, width) of the patch.
        name: Name of the patch in the message.

    Raises:
        ValueError: If the patch would lie outside; the message has the valid rows and columns.
    """
    (top, left), (bottom, right) = limits(image_size, size)
    if not (top <= place[0] <= bottom and left <= place[1] <= right):
        raise ValueError(
            f"{name} would lie outside the image. Expected a center in rows {top} to {bottom} and columns {left} to "
            f"{right}; received row {place[0]}, column {place[1]}"
        )


def limits(image_size: Place, size: Place) -> tuple[Place, Place]:
    """Returns the smallest and the largest (row, column) of a patch's center."""
    top, left = size[0] // 2, size[1] // 2
    return (top, left), (image_size[0] - size[0] + top, image_size[1] - size[1] + left)


def nearest_inside(place: Place, image_size: Place, size: Place) -> Place:
    """Returns the place nearest to `place` whose patch lies inside the image."""
    (top, left), (bottom, right) = limits(image_size, size)
    return int(np.clip(place[0], top, bottom)), int(np.clip(place[1], left, right))


def cut_patches(image: np.ndarray, places: Sequence[Place], size: Place) -> np.ndarray:
    """Returns the pixels of the patches, [num, *size, channels]."""
    corners = [(row - size[0] // 2, column - size[1] // 2) for row, column in places]
    return np.stack([image[top : top + size[0], left : left + size[1]] for top, left in corners])


def key_places(image: np.ndarray, num: int, size: Place) -> list[Place]:
    """Returns the places with the most gradient energy and little overlap, as in training.

    Args:
        image: [height, width, channels] in [0, 1].
        num: Largest number of places.
        size: (height, width) of a patch.
    """
    energy = np.zeros(image.shape[:2])
    energy[:-1] += np.square(np.diff(image, axis=0)).sum(2)
    energy[:, :-1] += np.square(np.diff(image, axis=1)).sum(2)
    sums = np.pad(energy.cumsum(0).cumsum(1), [(1, 0), (1, 0)])
    height, width = size
    scores = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    rows, columns = np.indices(scores.shape)
    places: list[Place] = []
    while len(places) < num and scores.max() >= 0:
        top, left = np.unravel_index(scores.argmax(), scores.shape)
        places.append((int(top) + height // 2, int(left) + width // 2))
        common = np.maximum(height - abs(rows - top), 0) * np.maximum(width - abs(columns - left), 0)
        scores = np.where(common / (2 * height * width - common) > OVERLAP, -1.0, scores)
    return places


def framed(image: np.ndarray, places: Sequence[Place], size: Place) -> np.ndarray:
    """Returns the image as RGB, with a frame of one pixel around each patch."""
    picture = np.repeat(image, 3 // image.shape[2], axis=2).copy()
    for row, column in places:
        top, left = row - size[0] // 2, column - size[1] // 2
        bottom, right = top + size[0] - 1, left + size[1] - 1
        picture[[top, bottom], left : right + 1] = FRAME
        picture[top : bottom + 1, [left, right]] = FRAME
    return picture
