"""One image file to one array."""

import pathlib

import numpy as np
from PIL import Image, ImageOps

from .info import UnreadableImage

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


def read_image(file: pathlib.Path, at_least: tuple[int, int] | None = None) -> np.ndarray:
    """Decode a PNG, JPEG, WebP or BMP file, turned as its EXIF orientation says.

    Args:
        file: the file; its content decides the format, not its name.
        at_least: (height, width) that is enough: a large JPEG is then decoded at a half, a quarter or an eighth of its
            size, as long as both sides stay at least twice these.

    Returns:
        uint8 [h, w, c]: 1 channel gray, 2 gray and transparency, 3 colour, 4 colour and transparency. 16-bit gray is
        brought to 8 bits, other colour spaces to RGB.

    Raises:
        UnreadableImage: no image, a truncated or damaged one, no such file, no permission.

    Example:
        >>> read_image(pathlib.Path("photo.jpg")).shape
        (480, 640, 3)
    """
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if image.format == "JPEG" and at_least is not None:
                image.draft(None, (2 * at_least[1], 2 * at_least[0]))
            image.load()
            return _to_array(ImageOps.exif_transpose(image))
    except Exception as error:  # of a damaged file Pillow raises OSError, SyntaxError, struct.error, ...
        raise UnreadableImage(file, _reason(file, error)) from error


def _to_array(image: Image.Image) -> np.ndarray:
    transparent = "transparency" in image.info
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        deep = np.asarray(image).astype(np.int64)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError(f"gray values from {deep.min()} to {deep.max()}; known are 8 and 16 bits")
        return ((deep + 128) // 257).astype(np.uint8)[..., None]
    if image.mode in ("1", "L"):
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA", "RGB") and (transparent or image.mode == "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("LA", "RGB", "RGBA"):
        if image.mode == "F":
            raise ValueError("floating-point pixels; save it with 8 or 16 bits")
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def _reason(file: pathlib.Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    try:
        if file.stat().st_size == 0:
            return "the file is empty"
    except OSError:
        pass
    if isinstance(error, Image.UnidentifiedImageError):
        return f"its content is no {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} image"
    return str(error) or type(error).__name__
