"""Image files and .npy files to arrays, preprocessed as for training. Image files need Pillow."""

import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from .resize import WHITE, fit_image


def read_images(
    files: Iterable[str | pathlib.Path],
    image_shape: Sequence[int],
    value_range: Sequence[float] | None = None,
    *,
    crop: str = "center",
    background: Sequence[int] = WHITE,
) -> np.ndarray:
    """Reads .npy files and image files, preprocessed as for training.

    Args:
        files: .npy files hold images [num, *image_shape] or one image: floats in [0, 1], or integers in the value range
            (8 bits if it is None). Image files have any size and any channels, and need Pillow.
        image_shape: (height, width, channels).
        value_range: as in `scale_image`.
        crop: as in `resize.fit_image`.
        background: as in `resize.fit_image`.

    Returns:
        float32 [num, height, width, channels] in [0, 1].

    Raises:
        FileNotFoundError: for a .npy file that does not exist.
        ValueError: for a file that cannot be read (`image_file.UnreadableImage` for an image file), for image files
            without Pillow, and for images of another shape or range.
    """
    height, width, _ = image_shape
    parts = []
    for file in map(pathlib.Path, files):
        if file.suffix == ".npy":
            parts.append(_read_array_of_images(file, image_shape, value_range))
            continue
        image = _read_image_file(file, (height, width))
        try:
            parts.append(fit_image(scale_image(image, value_range), image_shape, crop, background)[None])
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
    return np.concatenate(parts)


def _read_image_file(file: pathlib.Path, min_size: tuple[int, int]) -> np.ndarray:
    """Calls `image_file.read_image`, which needs Pillow."""
    try:
        from .image_file import read_image
    except ImportError as error:
        raise ValueError(
            f"{file}: image files need Pillow 11 or later (pip install pillow); without it, pass a .npy"
        ) from error
    return read_image(file, min_size)


def _read_array_of_images(
    file: pathlib.Path, image_shape: Sequence[int], value_range: Sequence[float] | None
) -> np.ndarray:
    array = read_array(file)
    array = array[None] if array.ndim == 3 else array
    if array.shape[1:] != tuple(image_shape):
        expected = ", ".join(map(str, image_shape))
        raise ValueError(f"{file}: expected images of the shape [num, {expected}]; received {list(array.shape)}")
    if array.dtype.kind not in "iu":
        return array
    if value_range is None and array.dtype != np.uint8:
        raise ValueError(f"{file}: expected floats from 0 to 1, or 8-bit integers; received {array.dtype}")
    try:
        return _scale(array, value_range or (0, 255))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def read_array(file: str | pathlib.Path) -> np.ndarray:
    """Reads the array of a .npy file.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not an array of numbers, or is truncated.
    """
    file = pathlib.Path(file)
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is not a file")
    try:
        # mapped: a header that promises more than the file holds is refused before memory is allocated
        array = np.lib.format.open_memmap(file, mode="r")
    except Exception as error:  # numpy raises ValueError, SyntaxError, OverflowError, ... for a damaged header
        raise ValueError(f"{file} cannot be read as a numpy array: {error}") from error
    return np.array(array)


def scale_image(image: np.ndarray, value_range: Sequence[float] | None = None) -> np.ndarray:
    """Scales the pixels of an image file as for training.

    Args:
        image: [height, width, channels] as `image_file.read_image` returns it.
        value_range: (black, white) of model.json; None is 0 to 255 for 8 bits, 0 to 65535 for more, and 0 to 1 for
            floats. 8-bit images have the range 0 to 255 even if white is above 255, and opacity has the full range of
            its type.

    Returns:
        uint8 unchanged, or float32 in [0, 1].

    Raises:
        ValueError: for values outside the range, or NaN.
    """
    eight_bits = image.dtype == np.uint8
    if eight_bits and (value_range is None or value_range[1] > 255 or tuple(value_range) == (0, 255)):
        return image
    if value_range is None:
        value_range = (0, 1) if image.dtype.kind == "f" else (0, 65535)
    colors = image.shape[-1] - (image.shape[-1] in (2, 4))
    color, opacity = _scale(image[..., :colors], value_range), image[..., colors:]
    if not opacity.size:
        return color
    return np.concatenate([color, _scale(opacity, (0, np.iinfo(image.dtype).max))], axis=-1)


def _scale(values: np.ndarray, value_range: Sequence[float]) -> np.ndarray:
    """Maps numbers within a range to float32 in [0, 1]."""
    low, high = value_range
    slack = 1e-6 * (high - low)  # for floats
    if values.size and not low - slack <= values.min() <= values.max() <= high + slack:
        raise ValueError(
            f"expected numbers from {low:g} (black) to {high:g} (white), as in the training data; received "
            f"{values.min():g} to {values.max():g}; rescale them to this range"
        )
    return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1).astype(np.float32)
