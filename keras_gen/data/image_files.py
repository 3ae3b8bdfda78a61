"""One image file to one array."""

import contextlib
import io
import os
import pathlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

# the plugins enter themselves into Image.OPEN
from PIL import (
    BmpImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from keras_gen.archives import open_regular

from .info import UnreadableImage

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# pixels of an image, read from its header before it is decoded: a PNG of 20 kB may have 169 million
MAX_PIXELS = 50_000_000
# bytes of a file: WebP is read as a whole. No format needs more than 16 for a pixel
_MAX_BYTES, _MAX_BYTES_PER_PIXEL = 1 << 30, 16
_LARGE_PIECE = 1 << 20
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


def read_image(file: pathlib.Path, at_least: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode a PNG, JPEG, WebP or BMP file, turned as its EXIF orientation says.

    Args:
        file: the file; its content decides the format, not its name.
        at_least: (height, width) that is enough: a large JPEG is then decoded at a half, a quarter or an eighth of its
            size, as long as both sides stay at least twice these.
        max_pixels: width times height in the file, at most.

    Returns:
        uint8 [h, w, c]: 1 channel gray, 2 gray and transparency, 3 colour, 4 colour and transparency. 16-bit gray is
        brought to 8 bits, other colour spaces to RGB.

    Raises:
        UnreadableImage: no image, a truncated or damaged one, one of more than `max_pixels`, no regular file, no such
            file, no permission.

    Example:
        >>> read_image(pathlib.Path("photo.jpg")).shape
        (480, 640, 3)
    """
    try:
        with _opened(file, max_pixels) as image:
            if image.format == "JPEG" and at_least is not None:
                image.draft(None, (2 * at_least[1], 2 * at_least[0]))
            image.load()
            return _to_array(ImageOps.exif_transpose(image))
    except Exception as error:  # of a damaged file Pillow raises OSError, SyntaxError, struct.error, ...
        raise UnreadableImage(file, _reason(file, error)) from error


def read_header(file: pathlib.Path, max_pixels: int = MAX_PIXELS) -> tuple[tuple[int, int], str]:
    """Size, as (height, width), and Pillow's mode of an image file, without decoding it.

    Raises:
        UnreadableImage: as `read_image`, as far as the header tells.
    """
    try:
        with _opened(file, max_pixels) as image:
            return image.size[::-1], image.mode
    except Exception as error:
        raise UnreadableImage(file, _reason(file, error)) from error


@contextlib.contextmanager
def _opened(file: pathlib.Path, max_pixels: int) -> Iterator[Image.Image]:
    """Pillow's image of a file, its header read.

    `Image.open` does the same, and then compares the size with a limit that belongs to the process: it raises or warns
    at sizes that a caller has allowed here.
    """
    with _Reader(open_regular(file).detach()) as stream:
        size = os.fstat(stream.fileno()).st_size
        most = max(_MAX_BYTES, _MAX_BYTES_PER_PIXEL * max_pixels)
        if size > most:
            raise ValueError(f"the file has {size:,} bytes; expected at most {most:,}")
        with _identified(stream, file) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise ValueError(
                    f"{width:,} x {height:,} are {width * height:,} pixels; expected at most {max_pixels:,} "
                    "(max_pixels)"
                )
            yield image


class _Reader(io.BufferedReader):
    """A file of which large pieces are asked for only as far as they are there.

    A chunk of a small PNG may announce 2 GiB; Python takes that memory before it finds the end of the file.
    """

    def read(self, size: int = -1) -> bytes:
        if size > _LARGE_PIECE:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


def _identified(stream: BinaryIO, file: pathlib.Path) -> Image.Image:
    prefix = stream.read(16)
    for name in _FORMATS:
        open_format, accepts = Image.OPEN[name]
        if accepts(prefix) is True:
            stream.seek(0)
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
                return open_format(stream, str(file))
    raise Image.UnidentifiedImageError


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
    if isinstance(error, OSError) and error.errno:  # its text would name the file again
        return error.strerror
    try:
        if file.is_file() and file.stat().st_size == 0:
            return "the file is empty"
    except OSError:
        pass
    if isinstance(error, Image.UnidentifiedImageError):
        return f"its content is no {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} image"
    return str(error) or type(error).__name__
