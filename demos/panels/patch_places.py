"""Places of patches in an image: written, found, cut out, framed. A place is (row, column) of a patch's middle."""

import re

import numpy as np

OVERLAP = 0.25
FRAME = np.float32([1.0, 0.1, 0.4])


def written(places: list[tuple[int, int]]) -> str:
    """Places as text: "12, 20; 30, 8"."""
    return "; ".join(f"{row}, {column}" for row, column in places)


def read_places(text: str, image_size: tuple[int, int], size: tuple[int, int], most: int) -> list[tuple[int, int]]:
    """The places in a text.

    Args:
        text: as `written` has it.
        image_size: (height, width) of the image.
        size: (height, width) of a patch.
        most: patches that the model takes.

    Raises:
        ValueError: for a text that cannot be read, no place at all, too many, or one whose patch leaves the image.
    """
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    if not parts:
        raise ValueError("There is no patch yet: click on the picture, or let the patches be chosen")
    if len(parts) > most:
        raise ValueError(f"There are {len(parts)} patches; the model takes at most {most}: drop some")
    places = []
    for number, part in enumerate(parts, start=1):
        if not re.fullmatch(r"-?\d{1,6}\s*,\s*-?\d{1,6}", part):
            raise ValueError(f"Patch {number} reads {part[:40]!r}: expected row, column of its middle, such as 12, 20")
        place = tuple(int(number) for number in part.split(","))
        check_inside(place, image_size, size, f"Patch {number}")
        places.append(place)
    return places


def check_inside(place, image_size, size, what: str = "The patch") -> None:
    """Refuse a place whose patch would leave the image.

    Raises:
        ValueError: with the rows and columns that are allowed.
    """
    (top, left), (bottom, right) = limits(image_size, size)
    if not (top <= place[0] <= bottom and left <= place[1] <= right):
        raise ValueError(
            f"{what} at row {place[0]}, column {place[1]} would lie outside the image: its middle must be in rows "
            f"{top} to {bottom} and columns {left} to {right}"
        )


def limits(image_size, size) -> tuple[tuple[int, int], tuple[int, int]]:
    """The smallest and the largest (row, column) of a middle."""
    low = tuple(part // 2 for part in size)
    high = tuple(whole - part + half for whole, part, half in zip(image_size, size, low, strict=True))
    return low, high


def nearest_inside(place, image_size, size) -> tuple[int, int]:
    """The place nearest to one clicked on whose patch lies in the image."""
    low, high = limits(image_size, size)
    return tuple(int(np.clip(at, first, last)) for at, first, last in zip(place, low, high, strict=True))


def cut_patches(image: np.ndarray, places, size: tuple[int, int]) -> np.ndarray:
    """What the patches show: [num, *size, channels]."""
    corners = [(row - size[0] // 2, column - size[1] // 2) for row, column in places]
    return np.stack([image[top : top + size[0], left : left + size[1]] for top, left in corners])


def key_places(image: np.ndarray, num: int, size: tuple[int, int]) -> list[tuple[int, int]]:
    """The places with the most gradient energy that hardly overlap, as the model was trained on.

    Args:
        image: [height, width, channels] in [0, 1].
        num: places, at most.
        size: (height, width) of a patch.
    """
    energy = np.zeros(image.shape[:2])
    energy[:-1] += np.square(np.diff(image, axis=0)).sum(2)
    energy[:, :-1] += np.square(np.diff(image, axis=1)).sum(2)
    sums = np.pad(energy.cumsum(0).cumsum(1), [(1, 0), (1, 0)])
    height, width = size
    scores = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    rows, columns = np.indices(scores.shape)
    places = []
    while len(places) < num and scores.max() >= 0:
        top, left = np.unravel_index(scores.argmax(), scores.shape)
        places.append((int(top) + height // 2, int(left) + width // 2))
        common = np.maximum(height - abs(rows - top), 0) * np.maximum(width - abs(columns - left), 0)
        scores = np.where(common / (2 * height * width - common) > OVERLAP, -1.0, scores)
    return places


def framed(image: np.ndarray, places, size: tuple[int, int]) -> np.ndarray:
    """The image as RGB with a frame of one pixel around each patch."""
    picture = np.repeat(image, 3 // image.shape[2], axis=2).copy()
    for row, column in places:
        top, left = row - size[0] // 2, column - size[1] // 2
        bottom, right = top + size[0] - 1, left + size[1] - 1
        picture[[top, bottom], left : right + 1] = FRAME
        picture[top : bottom + 1, [left, right]] = FRAME
    return picture
