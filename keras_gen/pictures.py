"""Grids, strips and panels of images, as arrays and as image files. This module needs only NumPy and Pillow."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen.runtime import pictures as runtime_pictures

from . import files

BACKGROUND = 255
INK = 40
FONT_SIZE = 12
_JPEG = ("JPEG", {"quality": 95, "subsampling": 0})
# suffix -> Pillow's format and its options
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": ("WEBP", {"lossless": True}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
}


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Returns images with values in [0, 1] as uint8, 0 to 255; values outside are clipped.

    Args:
        images: Floats or booleans of any shape; uint8 is returned as it is.

    Raises:
        ValueError: For integers of another type, or NaN.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "fb":
        raise ValueError(f"Expected floats in [0, 1] or uint8; received {images.dtype}")
    images = images.astype(np.float32)
    if np.isnan(images).any():
        raise ValueError("Expected images without NaN; received NaN: the model may have diverged")
    return runtime_pictures.to_uint8(images)


def grid(
    images: np.ndarray,
    columns: int | None = None,
    pad: int = 2,
    scale: int = 1,
    labels: Sequence[str] | None = None,
) -> np.ndarray:
    """Arranges images in a grid, row by row.

    Args:
        images: [num, height, width, 1 | 3 | 4] or [num, height, width], floats in [0, 1] or uint8.
        columns: Number of images in a row; None for an approximately square grid.
        pad: White pixels between and around the images, >= 0.
        scale: Enlargement by an integer, >= 1 (nearest neighbor, so that pixels stay sharp).
        labels: A text above each image; longer texts are truncated.

    Returns:
        uint8 [rows, columns, 1 or 3]; transparent images are shown on white.

    Raises:
        ValueError: For an empty array, another rank or number of channels, or another number of labels than images.

    Example:
        >>> grid(np.zeros((6, 8, 8, 1)), columns=3, pad=1).shape
        (19, 28, 1)
    """
    images = _enlarge(_checked(images), scale)
    num, height, width, _ = images.shape
    if labels is not None and len(labels) != num:
        raise ValueError(f"Expected one label for each of {num} images; received {len(labels)}")
    head = 0 if labels is None else FONT_SIZE + 4
    columns = min(num, columns or int(np.ceil(np.sqrt(num))))
    canvas = runtime_pictures.grid(images, columns, pad, header=head)
    if labels is None:
        return canvas
    cell_height, cell_width = height + head + pad, width + pad
    positions = [(pad + (i % columns) * cell_width, pad + (i // columns) * cell_height) for i in range(num)]
    return _draw_texts(canvas, zip(positions, (_truncate(str(label), width) for label in labels), strict=True))


def strip(images: np.ndarray, pad: int = 2, scale: int = 1, labels: Sequence[str] | None = None) -> np.ndarray:
    """Arranges images in one row.

    Args:
        images: As for `grid`.
        pad: As for `grid`.
        scale: As for `grid`.
        labels: As for `grid`.

    Returns:
        uint8 [height, width, 1 or 3].
    """
    return grid(images, columns=len(images), pad=pad, scale=scale, labels=labels)


def hstack(panels: Mapping[str, np.ndarray], pad: int = 8) -> np.ndarray:
    """Arranges pictures side by side, each under its title.

    Args:
        panels: Title -> picture [height, width, 1 | 3 | 4], floats in [0, 1] or uint8; sizes may differ.
        pad: White pixels between and around the panels.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: Without a panel.

    Example:
        >>> hstack({"a": np.zeros((8, 40, 1)), "b": np.zeros((8, 60, 1))}, pad=4).shape
        (34, 112, 3)
    """
    if not panels:
        raise ValueError("Expected at least one panel; received none")
    pictures = [_as_rgb(_checked(picture[None])[0]) for picture in panels.values()]
    head = FONT_SIZE + 6
    widths = [max(picture.shape[1], _text_width(title)) for title, picture in zip(panels, pictures, strict=True)]
    height = max(picture.shape[0] for picture in pictures) + head + 2 * pad
    canvas = np.full((height, sum(widths) + pad * (len(widths) + 1), 3), BACKGROUND, np.uint8)
    texts, left = [], pad
    for title, picture, width in zip(panels, pictures, widths, strict=True):
        top = pad + head
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        texts.append(((left, pad), title))
        left += width + pad
    return _draw_texts(canvas, texts)


def vstack(panels: Mapping[str, np.ndarray], pad: int = 8) -> np.ndarray:
    """Arranges pictures one below the other, each under its title.

    Args:
        panels: As for `hstack`.
        pad: As for `hstack`.

    Returns:
        uint8 [height, width, 3].
    """
    if not panels:
        raise ValueError("Expected at least one panel; received none")
    rows = [hstack({title: picture}, pad) for title, picture in panels.items()]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, [[0, 0], [0, width - row.shape[1]], [0, 0]], constant_values=BACKGROUND) for row in rows]
    return np.concatenate(padded)


def pairs(first: np.ndarray, second: np.ndarray, columns: int = 4, pad: int = 2, scale: int = 1) -> np.ndarray:
    """Arranges two arrays of images in a grid in which corresponding images are next to each other.

    Args:
        first: [num, height, width, channels].
        second: Images of the same shape.
        columns: Number of pairs in a row.
        pad: As for `grid`.
        scale: As for `grid`.

    Returns:
        uint8 [rows, columns, 1 or 3].

    Raises:
        ValueError: For arrays of different shapes.
    """
    first, second = _checked(first), _checked(second)
    if first.shape != second.shape:
        raise ValueError(f"Expected two arrays of the same shape; received {first.shape} and {second.shape}")
    return grid(np.stack([first, second], axis=1).reshape(-1, *first.shape[1:]), 2 * columns, pad, scale)


def save(path: str | os.PathLike, picture: np.ndarray, *, durable: bool = True) -> pathlib.Path:
    """Writes a picture in the format of its file name, and creates its directory if it does not exist.

    Args:
        path: The file; its name ends in one of `FORMATS`.
        picture: [height, width, 1 | 3 | 4], [height, width], or images [num, height, width, channels], which are
            arranged by `grid`. Floats in [0, 1] or uint8.
        durable: As for `files.replacing`.

    Returns:
        The path.

    Raises:
        ValueError: For another suffix.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(FORMATS)}; received {path.suffix!r}")
    format, options = FORMATS[path.suffix.lower()]
    picture = np.asarray(picture)
    picture = grid(picture) if picture.ndim == 4 else _checked(picture[None])[0]
    with files.replacing(path, durable=durable) as scratch:
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(scratch, format, **options)
    return path


def _checked(images: np.ndarray) -> np.ndarray:
    """Returns images as uint8 [num, height, width, 1 or 3]."""
    images = to_uint8(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or images.size == 0:
        raise ValueError(f"Expected images [num, height, width, 1, 3 or 4]; received the shape {images.shape}")
    if images.shape[-1] == 4:
        opacity = images[..., 3:].astype(np.float32) / 255
        images = np.rint(images[..., :3] * opacity + BACKGROUND * (1 - opacity)).astype(np.uint8)
    return images


def _enlarge(images: np.ndarray, scale: int) -> np.ndarray:
    if scale < 1 or scale != int(scale):
        raise ValueError(f"Expected an integer scale >= 1; received {scale!r}")
    return images.repeat(int(scale), axis=1).repeat(int(scale), axis=2)


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _draw_texts(canvas: np.ndarray, texts: Iterable[tuple[tuple[int, int], str]]) -> np.ndarray:
    """Returns the canvas with texts at their positions (left, top)."""
    image = Image.fromarray(canvas[..., 0] if canvas.shape[-1] == 1 else canvas)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(FONT_SIZE)
    for position, text in texts:
        draw.text(position, str(text), fill=INK if image.mode == "L" else (INK,) * 3, font=font)
    return np.asarray(image).reshape(canvas.shape)


def _truncate(text: str, width: int) -> str:
    """Returns the text, truncated to a width in pixels; a truncated text ends in two dots."""
    if _text_width(text) <= width:
        return text
    return next((cut for end in range(len(text) - 1, 0, -1) if _text_width(cut := f"{text[:end]}..") <= width), "")


def _text_width(text: str) -> int:
    return int(np.ceil(ImageFont.load_default(FONT_SIZE).getlength(text)))
