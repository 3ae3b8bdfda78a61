"""Image files and .npy files to arrays, preprocessed as for training. Image files need Pillow."""

import pathlib
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .resize import WHITE, fit_image

MAX_PIXELS = 50_000_000  # of an image file
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
# tags of TIFF
_PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT = 262, 322, 323
_WHITE_IS_ZERO = 0
# Pillow's raw modes of 16 bits a channel, of which it keeps the upper 8 -> those that keep the lower 8
_LOWER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


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
        FileNotFoundError: for a file that does not exist.
        ValueError: for a file that cannot be read, or images of another shape or range.
    """
    height, width, _ = image_shape
    parts = []
    for file in map(pathlib.Path, files):
        if file.suffix == ".npy":
            parts.append(_read_array_of_images(file, image_shape, value_range))
            continue
        image = decode_image(file, (height, width))
        try:
            parts.append(fit_image(scale_image(image, value_range), image_shape, crop, background)[None])
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
    return np.concatenate(parts)


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


def decode_image(file: str | pathlib.Path, min_size: tuple[int, int] | None = None) -> np.ndarray:
    """Decodes an image file and rotates it as its EXIF orientation says. It needs Pillow.

    Args:
        file: of one of `IMAGE_FORMATS`; its content decides, not its name. The first frame or page is read.
        min_size: (height, width); a larger JPEG is decoded at a half, a quarter or an eighth of its size, as long as
            both sides stay at least twice these.

    Returns:
        [height, width, channels] as stored: 1 channel is gray, 2 are gray and opacity, 3 are red, green and blue, 4 add
        opacity. uint8; for files with more bits uint16, int32 or float32.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if Pillow is missing, or the file is damaged, not an image, or has more than 50 million pixels.
    """
    file = pathlib.Path(file)
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is not a file")
    try:
        from PIL import Image
    except ImportError as error:
        raise ValueError(f"{file}: image files need Pillow (pip install pillow); without it, pass a .npy") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged tags, and Pillow's limit of pixels, which is above MAX_PIXELS
            with Image.open(file, formats=IMAGE_FORMATS) as image:
                size = image.size
                if size[0] * size[1] <= MAX_PIXELS:  # by the header, before anything is decoded
                    if image.format == "JPEG" and min_size is not None:
                        image.draft(None, (2 * min_size[1], 2 * min_size[0]))
                    _check_tiff(image)
                    raw = _raw_mode(image)
                    if raw.endswith(tuple(_LOWER)) and not image.mode.startswith("I"):
                        with Image.open(file, formats=IMAGE_FORMATS) as again:
                            return _deep_color(image, again, raw)
                    return _pixels(_load(image))
    except Exception as error:  # Pillow raises OSError, SyntaxError, struct.error, ... for a damaged file
        received = error if file.stat().st_size else "an empty file"
        formats = ", ".join(IMAGE_FORMATS)
        raise ValueError(f"{file} cannot be read as an image: expected {formats}; received: {received}") from error
    raise ValueError(f"{file}: expected at most {MAX_PIXELS} pixels; received {size[0]} x {size[1]}: make it smaller")


def _load(image: Any, raw: str | None = None) -> Any:
    """Decodes an opened image, in another of Pillow's raw modes if one is given, and rotates it."""
    from PIL import ImageOps

    if raw is not None:
        image.tile = [
            tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:])) for tile in image.tile
        ]
    image.load()
    return ImageOps.exif_transpose(image)


def _raw_mode(image: Any) -> str:
    """Returns Pillow's name for the storage of the pixels, such as "RGB;16B"; empty if it has none."""
    args = image.tile[0].args if image.tile else None
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _deep_color(image: Any, again: Any, raw: str) -> np.ndarray:
    """Decodes 16 bits in each color channel by two passes over the file: uint16 [height, width, 2 to 4]."""
    if raw == "LA;16B":  # as RGBA it is four bytes a pixel: two of gray, two of opacity
        pieces = np.asarray(_load(image, "RGBA")).astype(np.uint16)
        return pieces[..., 0::2] << 8 | pieces[..., 1::2]
    if image.mode not in ("RGB", "RGBA") or raw.startswith("RGBa"):
        raise ValueError(f"16 bits a channel in the color mode {raw.split(';')[0]}; save it as RGB or RGBA")
    color = np.asarray(_load(image)).astype(np.uint16) << 8
    color |= np.asarray(_load(again, raw[:-3] + _LOWER[raw[-3:]]))
    return _with_opacity(color, image.info)


def _with_opacity(color: np.ndarray, info: dict) -> np.ndarray:
    """Adds a channel to uint16 pixels if the file has a transparent color: 0 for this color, else 65535."""
    if "transparency" not in info:
        return color
    opaque = (color != np.uint16(info["transparency"])).any(axis=-1, keepdims=True)
    return np.concatenate([color, np.where(opaque, 65535, 0).astype(np.uint16)], axis=-1)


def _check_tiff(image: Any) -> None:
    """Refuses a TIFF that Pillow would read wrongly, or whose tiles take more memory than the image may."""
    tags = getattr(image, "tag_v2", {})
    photometric, tile_width, tile_height = (tags.get(tag) for tag in (_PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT))
    if photometric == _WHITE_IS_ZERO and image.mode.startswith(("I", "F")):
        raise ValueError("0 is white in its pixels of more than 8 bits; save it with 0 as black")
    if (tile_width or 0) * (tile_height or 0) > MAX_PIXELS:
        raise ValueError(f"tiles of {tile_width} x {tile_height} pixels; expected at most {MAX_PIXELS}")


def _pixels(image: Any) -> np.ndarray:
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        return _with_opacity(np.asarray(image).astype(np.uint16)[..., None], image.info)
    if image.mode in ("1", "L"):
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA", "RGB") and (transparent or image.mode == "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("LA", "RGB", "RGBA", "I", "F"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def scale_image(image: np.ndarray, value_range: Sequence[float] | None = None) -> np.ndarray:
    """Scales the pixels of an image file as for training.

    Args:
        image: [height, width, channels] as `decode_image` returns it.
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
