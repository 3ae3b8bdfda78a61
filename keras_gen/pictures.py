"""Grids, strips and panels of images as arrays and image files; with Pillow alone."""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen.runtime import pictures as runtime_pictures

from . import files

BACKGROUND = 255
INK = 40
FONT_SIZE = 12
# suffix -> Pillow's format and its options
_JPEG = ("JPEG", {"quality": 95, "subsampling": 0})
FORMATS = {
    ".png": ("PNG", {}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": ("WEBP", {"lossless": True}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
}


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images with values in [0, 1] (or uint8 already) as uint8, 0 to 255; floats outside are clipped.

    Args:
        images: any shape, floats, booleans or uint8.

    Raises:
        ValueError: for integers of another type, or values that are NaN.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "fb":
        raise ValueError(f"Expected floats in [0, 1] or uint8; received {images.dtype}")
    images = images.astype(np.float32)
    if np.isnan(images).any():
        raise ValueError("The images hold NaN, so there is nothing to show; the model may have diverged")
    return runtime_pictures.to_uint8(images)


def grid(
    images: np.ndarray,
    columns: int | None = None,
    pad: int = 2,
    scale: int = 1,
    labels: Sequence[str] | None = None,
) -> np.ndarray:
    """Put images into a grid, row by row.

    Args:
        images: [num, height, width, 1 | 3 | 4] or [num, height, width], floats in [0, 1] or uint8.
        columns: images in a row; None makes the grid about square.
        pad: white pixels between images and around them, >= 0.
        scale: whole-number enlargement, >= 1 (nearest neighbor: pixels stay sharp).
        labels: a text above each image; what does not fit above it is cut.

    Returns:
        uint8 [rows, columns, 1 or 3]; transparency is shown on white.

    Raises:
        ValueError: for an empty array, another rank or channel count, or as many labels as do not fit.

    Example:
        >>> grid(np.zeros((6, 8, 8, 1)), columns=3, pad=1).shape
        (19, 28, 1)
    """
    images = _enlarged(_checked(images), scale)
    num, height, width, _ = images.shape
    if labels is not None and len(labels) != num:
        raise ValueError(f"Expected one label for each of {num} images; received {len(labels)}")
    head = 0 if labels is None else FONT_SIZE + 4
    columns = min(num, columns or int(np.ceil(np.sqrt(num))))
    canvas = runtime_pictures.grid(images, columns, pad, header=head)
    if labels is None:
        return canvas
    cell_height, cell_width = height + head + pad, width + pad
    places = [(pad + (i % columns) * cell_width, pad + (i // columns) * cell_height) for i in range(num)]
    return _written(canvas, zip(places, (_cut(str(label), width) for label in labels), strict=True))


def strip(images: np.ndarray, pad: int = 2, scale: int = 1, labels: Sequence[str] | None = None) -> np.ndarray:
    """Put images [num, height, width, channels] into one row; see `grid`."""
    return grid(images, columns=len(images), pad=pad, scale=scale, labels=labels)


def beside(panels: Mapping[str, np.ndarray], pad: int = 8) -> np.ndarray:
    """Put pictures side by side, each under its title.

    Args:
        panels: title -> picture [height, width, 1 | 3 | 4], floats in [0, 1] or uint8; sizes may differ.
        pad: white pixels between panels and around them.

    Returns:
        uint8 [height, width, 3].

    Example:
        >>> beside({"data": grid(images), "samples": grid(samples)}).shape  # doctest: +SKIP
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
    return _written(canvas, texts)


def below(panels: Mapping[str, np.ndarray], pad: int = 8) -> np.ndarray:
    """Put pictures one below the other, each under its title; as `beside`."""
    if not panels:
        raise ValueError("Expected at least one panel; received none")
    rows = [beside({title: picture}, pad) for title, picture in panels.items()]
    width = max(row.shape[1] for row in rows)
    filled = [np.pad(row, [[0, 0], [0, width - row.shape[1]], [0, 0]], constant_values=BACKGROUND) for row in rows]
    return np.concatenate(filled)


def pairs(first: np.ndarray, second: np.ndarray, columns: int = 4, pad: int = 2, scale: int = 1) -> np.ndarray:
    """Two sets of images [num, height, width, channels] as a grid in which each image stands beside its partner.

    Args:
        first, second: as many images each, of the same size and channels.
        columns: pairs in a row.
        pad, scale: as in `grid`.
    """
    first, second = _checked(first), _checked(second)
    if first.shape != second.shape:
        raise ValueError(f"Expected two arrays of the same shape; received {first.shape} and {second.shape}")
    return grid(np.stack([first, second], axis=1).reshape(-1, *first.shape[1:]), 2 * columns, pad, scale)


def save(path: str | os.PathLike, picture: np.ndarray, *, durable: bool = True) -> pathlib.Path:
    """Write a picture in the format of its name, making its directory where it is missing.

    Args:
        path: where to; the name ends in one of `FORMATS`.
        picture: [height, width, 1 | 3 | 4], [height, width], or images [num, height, width, channels], of which a
            `grid` is made. Floats in [0, 1] or uint8.
        durable: as in `files.replacing`.

    Returns:
        The path.

    Raises:
        ValueError: for another suffix.
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
    """uint8 [num, height, width, 1 or 3]."""
    images = to_uint8(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or images.size == 0:
        raise ValueError(f"Expected images [num, height, width, 1, 3 or 4]; received the shape {images.shape}")
    if images.shape[-1] == 4:
        opacity = images[..., 3:].astype(np.float32) / 255
        images = np.rint(images[..., :3] * opacity + BACKGROUND * (1 - opacity)).astype(np.uint8)
    return images


def _enlarged(images: np.ndarray, scale: int) -> np.ndarray:
    if scale < 1 or scale != int(scale):
        raise ValueError(f"scale must be a whole number >= 1; received {scale!r}")
    return images.repeat(int(scale), axis=1).repeat(int(scale), axis=2)


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _written(canvas: np.ndarray, texts) -> np.ndarray:
    """The canvas with each (left, top), text of `texts` on it."""
    image = Image.fromarray(canvas[..., 0] if canvas.shape[-1] == 1 else canvas)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(FONT_SIZE)
    for position, text in texts:
        draw.text(position, str(text), fill=INK if image.mode == "L" else (INK,) * 3, font=font)
    return np.asarray(image).reshape(canvas.shape)


def _cut(text: str, width: int) -> str:
    """The text, or as much of it as is not wider than `width` pixels, with two dots at its end."""
    if _text_width(text) <= width:
        return text
    return next((cut for end in range(len(text) - 1, 0, -1) if _text_width(cut := f"{text[:end]}..") <= width), "")


def _text_width(text: str) -> int:
    return int(np.ceil(ImageFont.load_default(FONT_SIZE).getlength(text)))
