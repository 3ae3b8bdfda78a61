"""Reads one image file as one array. It needs Pillow, 11 or later."""

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

# importing a plugin registers it in Image.OPEN
from PIL import (
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    ImageOps,
    ImagePalette,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)

from .regular_file import open_regular

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
# checked in the header before decoding: a PNG of 20 kB may have 169 million pixels
MAX_PIXELS = 50_000_000
# the reason for a file that does not exist
MISSING = "there is no such file"
# bytes of a file, since WebP files are read as a whole; no format needs more than 16 bytes per pixel
_MAX_BYTES, _MAX_BYTES_PER_PIXEL = 1 << 30, 16
_LARGE_PIECE = 1 << 20
# TIFF tags
_BITS, _COMPRESSION, _PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT, _SAMPLE_FORMAT = 258, 259, 262, 322, 323, 339
_WHITE_IS_ZERO, _UNCOMPRESSED, _UNSIGNED, _SIGNED = 0, 1, 1, 2
# Pillow's raw modes of 16 bits per channel, which keep the upper 8 bits -> raw modes that keep the lower 8 bits
_LOWER = {"16B": "16L", "16L": "16B", "16N": "16B" if np.little_endian else "16L"}
# libtiff decodes to the byte order of this machine, whatever the byte order of the file
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}

# damaged files are reported as unreadable, so Pillow's warnings about them are redundant
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.(Bmp|Gif|Jpeg|Png|Tiff|WebP)ImagePlugin")
with contextlib.suppress(AttributeError, ImportError, OSError):  # and so are libtiff's messages on stderr
    import ctypes

    _set_handler = ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler
    _set_handler.argtypes, _set_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
    _set_handler(None)


class UnreadableImage(ValueError):
    """An image file that cannot be read.

    Args:
        file: The file.
        reason: Why it cannot be read.
    """

    def __init__(self, file: str | os.PathLike, reason: str):
        super().__init__(f"{file}: {reason}")
        self.file = str(file)
        self.reason = reason


class Header(NamedTuple):
    """The header of an image file.

    Attributes:
        size: (height, width) after applying the EXIF orientation.
        channels: 1 gray, 2 gray and alpha, 3 color, 4 color and alpha.
        deep: Whether it has more than 8 bits per channel.
        several: Whether it has more than one frame or page, of which the first is read.
    """

    size: tuple[int, int]
    channels: int
    deep: bool
    several: bool


def read_image(
    file: str | os.PathLike, min_size: tuple[int, int] | None = None, max_pixels: int | None = None
) -> np.ndarray:
    """Decodes the first image of a PNG, JPEG, WebP, BMP, GIF or TIFF file and applies its EXIF orientation.

    Args:
        file: The file; its format is detected from its content, not from its name.
        min_size: Required (height, width): a large JPEG is decoded at a half, a quarter or an eighth of its size, as
            long as both sides remain at least twice the required ones. None decodes the full size.
        max_pixels: Maximum of width times height; None is `MAX_PIXELS`, 50 million.

    Returns:
        The stored values [h, w, c]: 1 channel gray, 2 gray and alpha, 3 color, 4 color and alpha; other color spaces
        are converted to RGB. The type is uint8, or uint16, int32, uint32 or float32 for more bits per channel.

    Raises:
        UnreadableImage: If the file is missing, not permitted, not a regular file, not an image, truncated or damaged,
            or if it has more than `max_pixels` pixels or pixels that are NaN or infinite.

    Example:
        >>> read_image("photo.jpg").shape  # doctest: +SKIP
        (480, 640, 3)
    """
    try:
        with _opened(file, max_pixels) as image:
            if image.format == "JPEG" and min_size is not None:
                image.draft(None, (2 * min_size[1], 2 * min_size[0]))
            raw = _raw_mode(image)
            if not raw.endswith(tuple(_LOWER)) or image.mode.startswith("I"):
                unsigned = _is_unsigned(image)  # before the transposition, which drops the TIFF tags
                return _to_array(_decoded(image), unsigned)
            if raw == "LA;16B":  # read as RGBA, a pixel has four bytes: two of gray, two of alpha
                pieces = np.asarray(_decoded(image, "RGBA"))
                return pieces[..., 0::2].astype(np.uint16) << 8 | pieces[..., 1::2]
            if image.mode not in ("RGB", "RGBA") or raw.startswith("RGBa"):
                mode = raw.split(";")[0]
                raise ValueError(f"expected RGB or RGBA for 16 bits per channel; received the color mode {mode}")
            upper, transparent = np.asarray(_decoded(image)).astype(np.uint16) << 8, image.info.get("transparency")
        with _opened(file, max_pixels) as image:
            color = upper | np.asarray(_decoded(image, raw[:-3] + _LOWER[raw[-3:]]))
        return color if transparent is None else _add_alpha(color, transparent)
    except Exception as error:  # for a damaged file, Pillow raises OSError, SyntaxError, struct.error, ...
        raise UnreadableImage(file, _reason(file, error)) from error


def read_header(file: str | os.PathLike, max_pixels: int | None = None) -> Header:
    """Reads the header of an image file without decoding it.

    Args:
        file: The file.
        max_pixels: As in `read_image`.

    Raises:
        UnreadableImage: As for `read_image`, as far as the header shows it.
    """
    try:
        with _opened(file, max_pixels) as image:
            size = image.size[::-1]
            # Pillow rotates a TIFF itself; the method of a PNG would decode the image to find EXIF after the pixels
            if image.format != "TIFF" and Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
                size = size[::-1]
            # the other images in a camera's JPEG (MPO) are previews
            several = image.format != "MPO" and getattr(image, "is_animated", False)
            return Header(size, _channels(image), _is_deep(image), several)
    except Exception as error:
        raise UnreadableImage(file, _reason(file, error)) from error


@contextlib.contextmanager
def _opened(file: str | os.PathLike, max_pixels: int | None) -> Iterator[ImageFile.ImageFile]:
    """Yields Pillow's image of a file after reading its header.

    `Image.open` also compares the size with a limit of the whole process, so it could reject a size that `max_pixels`
    allows.
    """
    raw = open_regular(file).detach()  # ty: ignore[missing-attribute]  # a BinaryIO that is an io.BufferedReader
    with _Reader(raw) as stream:
        size = os.fstat(stream.fileno()).st_size
        limit = max(_MAX_BYTES, _MAX_BYTES_PER_PIXEL * (max_pixels or 0))
        if size > limit:
            raise ValueError(f"the file has {size:,} bytes; expected at most {limit:,}")
        with _open_format(stream, file) as image:
            width, height = image.size
            _check_pixels(f"{width:,} x {height:,} are", width * height, max_pixels)
            if isinstance(image, TiffImagePlugin.TiffImageFile):
                _check_tiff(image, max_pixels)
            yield image


def _check_pixels(what: str, pixels: int, max_pixels: int | None) -> None:
    """Raises a ValueError for too many pixels; it names the argument `max_pixels` only to callers that pass it."""
    limit = MAX_PIXELS if max_pixels is None else max_pixels
    if pixels > limit:
        remedy = "; make it smaller" if max_pixels is None else " (max_pixels)"
        raise ValueError(f"{what} {pixels:,} pixels; expected at most {limit:,}{remedy}")


class _Reader(io.BufferedReader):
    """A buffered file that limits large reads to the remaining size of the file.

    A chunk of a small PNG may claim 2 GiB, and Python allocates that memory before it reaches the end of the file.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to `size` bytes."""
        if size is not None and size > _LARGE_PIECE:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


def _open_format(stream: IO[bytes], file: str | os.PathLike) -> ImageFile.ImageFile:
    """Opens an image with the plugin of its format."""
    prefix = stream.read(16)
    for name in FORMATS:
        open_format, accepts = Image.OPEN[name]
        if accepts is not None and accepts(prefix) is True:
            stream.seek(0)
            try:
                return open_format(stream, str(file))
            except SyntaxError as error:
                if "pixel mode" in str(error):
                    raise ValueError(
                        f"expected a {name} file with 8 or 16 bits; received an unknown pixel format; convert it"
                    ) from error
            except (IndexError, TypeError, struct.error):
                pass
    raise Image.UnidentifiedImageError


def _check_tiff(image: TiffImagePlugin.TiffImageFile, max_pixels: int | None) -> None:
    """Raises a ValueError for a TIFF that Pillow would misread, or whose tiles have more than `max_pixels` pixels."""
    tags = image.tag_v2
    _check_pixels("its tiles have", tags.get(_TILE_WIDTH, 0) * tags.get(_TILE_HEIGHT, 0), max_pixels)
    if _is_deep(image) and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise ValueError("expected 0 as black in pixels of more than 8 bits; received 0 as white; invert it")
    if set(tags.get(_SAMPLE_FORMAT, ())) == {_SIGNED} and set(tags.get(_BITS, ())) == {8}:
        raise ValueError("expected unsigned pixels or 16 bits; received signed pixels of 8 bits; convert it")


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Returns Pillow's name of the pixel format in the file, such as "RGB;16B", or an empty string."""
    args = image.tile[0].args if image.tile else None
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _is_deep(image: ImageFile.ImageFile) -> bool:
    return image.mode.startswith(("I", "F")) or ";16" in _raw_mode(image) and image.format in ("PNG", "TIFF")


def _channels(image: ImageFile.ImageFile) -> int:
    has_alpha = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    gray = image.mode.startswith(("1", "L", "I", "F")) and image.mode != "LAB" or _raw_mode(image).startswith("LA;16")
    if image.mode in ("P", "PA") and image.palette is not None:
        gray = _is_gray(image.palette)
    return (1 if gray else 3) + has_alpha


def _is_gray(palette: ImagePalette.ImagePalette) -> bool:
    order, content = palette.getdata()
    entry = 4 if order.endswith("X") or order == "RGBA" else 3
    values = np.frombuffer(bytes(content), np.uint8)[: len(content) // entry * entry]
    colors = values.reshape(3, -1).T if order.endswith(";L") else values.reshape(-1, entry)[:, :3]
    return bool((colors == colors[:, :1]).all())


def _decoded(image: ImageFile.ImageFile, raw: str | None = None) -> Image.Image:
    """Decodes an image and applies its EXIF orientation.

    Args:
        image: The opened image.
        raw: Another raw mode of Pillow with the same number of bits; None is the image's own.
    """
    if (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.tag_v2.get(_COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED
    ):
        raw = raw or _NATIVE.get(_raw_mode(image))
    if raw is not None:
        image.tile = [
            tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in image.tile
        ]
    image.load()
    return ImageOps.exif_transpose(image)


def _is_unsigned(image: Image.Image) -> bool:
    """Returns whether the 32-bit integers of an image, which Pillow reads as signed, are unsigned."""
    tags = getattr(image, "tag_v2", {})
    return set(tags.get(_BITS, ())) == {32} and set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) == {_UNSIGNED}


def _to_array(image: Image.Image, unsigned: bool) -> np.ndarray:
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        gray = np.asarray(image).astype(np.uint16)[..., None]
        return _add_alpha(gray, image.info["transparency"]) if transparent else gray
    if image.mode == "I":
        gray = np.asarray(image)[..., None]
        return gray.view(np.uint32) if unsigned else gray
    if image.mode == "F":
        gray = np.asarray(image)[..., None]
        if not np.isfinite(gray).all():
            raise ValueError("expected finite pixels; received NaN or infinite ones")
        return gray
    if image.mode in ("1", "L"):
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA", "RGB") and (transparent or image.mode == "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def _add_alpha(color: np.ndarray, transparent: int | tuple[int, ...]) -> np.ndarray:
    """Adds an alpha channel to uint16 [h, w, c]: 0 for pixels of the color `transparent`, 65,535 for the others."""
    alpha = np.where((color == np.asarray(transparent, np.uint16)).all(axis=-1, keepdims=True), 0, 65535)
    return np.concatenate([color, alpha.astype(np.uint16)], axis=-1)


def _reason(file: str | os.PathLike, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return MISSING
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, OSError) and error.errno and error.strerror:  # str(error) would repeat the file
        return error.strerror
    try:
        if os.path.isfile(file) and os.path.getsize(file) == 0:
            return "the file is empty"
    except OSError:
        pass
    if isinstance(error, Image.UnidentifiedImageError):
        return f"its content is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image"
    if str(error).startswith("decoder error"):  # followed by a number of Pillow's
        return "its pixels are damaged or incomplete"
    return str(error) or type(error).__name__
