"""One image file to one array."""

import contextlib
import ctypes
import io
import os
import pathlib
import struct
import warnings
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

# the plugins enter themselves into Image.OPEN
from PIL import (
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    ImagePalette,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from keras_gen.archives import open_regular

from ..info import UnreadableImage

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
# of formats with more than 8 bits a channel
DEEP_EXTENSIONS = (".png", ".tif", ".tiff")
# pixels of an image, read from its header before it is decoded: a PNG of 20 kB may have 169 million
MAX_PIXELS = 50_000_000
# the reason of a file that a metadata file names and that does not exist
MISSING = "there is no such file"
# bytes of a file: WebP is read as a whole. No format needs more than 16 for a pixel
_MAX_BYTES, _MAX_BYTES_PER_PIXEL = 1 << 30, 16
_LARGE_PIECE = 1 << 20
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
# tags of TIFF
_BITS, _COMPRESSION, _PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT, _SAMPLE_FORMAT = 258, 259, 262, 322, 323, 339
_WHITE_IS_ZERO, _UNCOMPRESSED, _UNSIGNED, _SIGNED = 0, 1, 1, 2
# Pillow's raw modes of 16 bits a channel, of which it keeps the upper 8 -> those that keep the lower 8
_LOWER = {"16B": "16L", "16L": "16B", "16N": "16B" if np.little_endian else "16L"}
# what libtiff has decoded is in the order of this machine, whatever the file's is
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}

# damaged files are reported as unreadable; Pillow's warning about them would come on top
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")
with contextlib.suppress(AttributeError, OSError):  # so would libtiff's own messages on stderr
    _set_handler = ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler
    _set_handler.argtypes, _set_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
    _set_handler(None)


class Header(NamedTuple):
    """What an image file says of itself before it is decoded.

    Attributes:
        size: (height, width), turned as the EXIF orientation says.
        channels: 1 gray, 2 gray and transparency, 3 color, 4 color and transparency.
        deep: whether it has more than 8 bits a channel.
        several: whether it has more frames or pages than the first, which is read.
    """

    size: tuple[int, int]
    channels: int
    deep: bool
    several: bool


def read_image(file: pathlib.Path, at_least: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decodes the first image of a PNG, JPEG, WebP, BMP, GIF or TIFF file, turned as its EXIF orientation says.

    Args:
        file: the file; its content decides the format, not its name.
        at_least: (height, width) that is enough: a large JPEG is then decoded at a half, a quarter or an eighth of its
            size, as long as both sides stay at least twice these.
        max_pixels: width times height in the file, at most.

    Returns:
        [h, w, c] as it is stored: 1 channel gray, 2 gray and transparency, 3 color, 4 color and transparency; other
        color spaces as RGB. uint8; of files with more bits a channel uint16, int32, uint32 or float32.

    Raises:
        UnreadableImage: no image, a truncated or damaged one, one of more than `max_pixels`, no regular file, no such
            file, no permission, pixels that are NaN or infinite.

    Example:
        >>> read_image(pathlib.Path("photo.jpg")).shape
        (480, 640, 3)
    """
    try:
        with _opened(file, max_pixels) as image:
            if image.format == "JPEG" and at_least is not None:
                image.draft(None, (2 * at_least[1], 2 * at_least[0]))
            raw = _raw_mode(image)
            if not raw.endswith(tuple(_LOWER)) or image.mode.startswith("I"):
                unsigned = _is_unsigned(image)  # once it is turned it is no TIFF any more
                return _to_array(_decoded(image), unsigned)
            if raw == "LA;16B":  # as RGBA it is four bytes a pixel: two of gray, two of transparency
                pieces = np.asarray(_decoded(image, "RGBA"))
                return pieces[..., 0::2].astype(np.uint16) << 8 | pieces[..., 1::2]
            if image.mode not in ("RGB", "RGBA") or raw.startswith("RGBa"):
                raise ValueError(f"16 bits a channel in the color mode {raw.split(';')[0]}; save it as RGB or RGBA")
            upper, clear = np.asarray(_decoded(image)).astype(np.uint16) << 8, image.info.get("transparency")
        with _opened(file, max_pixels) as image:
            color = upper | np.asarray(_decoded(image, raw[:-3] + _LOWER[raw[-3:]]))
        return color if clear is None else _with_transparency(color, clear)
    except Exception as error:  # of a damaged file Pillow raises OSError, SyntaxError, struct.error, ...
        raise UnreadableImage(file, _reason(file, error)) from error


def read_header(file: pathlib.Path, max_pixels: int = MAX_PIXELS) -> Header:
    """Reads the header of an image file, without decoding it.

    Raises:
        UnreadableImage: as `read_image`, as far as the header says.
    """
    try:
        with _opened(file, max_pixels) as image:
            size = image.size[::-1]
            # Pillow turns a TIFF itself, and would decode a PNG to look for its EXIF behind the pixels
            if image.format != "TIFF" and Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
                size = size[::-1]
            # the other images of a camera's JPEG are previews of the same
            several = image.format != "MPO" and getattr(image, "is_animated", False)
            return Header(size, _channels(image), _is_deep(image), several)
    except Exception as error:
        raise UnreadableImage(file, _reason(file, error)) from error


def may_be_deep(file: pathlib.Path) -> bool:
    """Whether a file can have more than 8 bits a channel, by its first bytes; False where it cannot be read."""
    try:
        with open_regular(file) as stream:
            prefix = stream.read(25)
    except (OSError, ValueError):
        return False
    return prefix.startswith((b"II", b"MM")) or (prefix.startswith(b"\x89PNG") and prefix[24:] == b"\x10")


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
            if image.format == "TIFF":
                _check_tiff(image, max_pixels)
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
            try:
                return open_format(stream, str(file))
            except SyntaxError as error:
                if "pixel mode" in str(error):
                    raise ValueError(
                        f"pixels of an unknown kind in a {name} file; save it with 8 or 16 bits"
                    ) from error
            except (IndexError, TypeError, struct.error):
                pass
    raise Image.UnidentifiedImageError


def _check_tiff(image: Image.Image, max_pixels: int) -> None:
    """Refuses a TIFF that Pillow would read wrongly, or whose tiles take more memory than the image may."""
    tags = image.tag_v2
    tile = tags.get(_TILE_WIDTH, 0) * tags.get(_TILE_HEIGHT, 0)
    if tile > max_pixels:
        raise ValueError(f"its tiles have {tile:,} pixels; expected at most {max_pixels:,} (max_pixels)")
    if _is_deep(image) and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise ValueError("0 is white in its pixels of more than 8 bits; save it with 0 as black")
    if set(tags.get(_SAMPLE_FORMAT, ())) == {_SIGNED} and set(tags.get(_BITS, ())) == {8}:
        raise ValueError("signed pixels of 8 bits; save it with unsigned or with 16 bits")


def _raw_mode(image: Image.Image) -> str:
    """Pillow's name for how the pixels are stored, such as "RGB;16B"; empty where it has none."""
    args = image.tile[0].args if image.tile else None
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F")) or ";16" in _raw_mode(image) and image.format in ("PNG", "TIFF")


def _channels(image: Image.Image) -> int:
    clear = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    gray = image.mode.startswith(("1", "L", "I", "F")) and image.mode != "LAB" or _raw_mode(image).startswith("LA;16")
    if image.mode in ("P", "PA") and image.palette is not None:
        gray = _is_gray(image.palette)
    return (1 if gray else 3) + clear


def _is_gray(palette: ImagePalette.ImagePalette) -> bool:
    order, content = palette.getdata()
    entry = 4 if order.endswith("X") or order == "RGBA" else 3
    values = np.frombuffer(content, np.uint8)[: len(content) // entry * entry]
    colors = values.reshape(3, -1).T if order.endswith(";L") else values.reshape(-1, entry)[:, :3]
    return bool((colors == colors[:, :1]).all())


def _decoded(image: Image.Image, raw: str | None = None) -> Image.Image:
    """The image, decoded and turned.

    Args:
        image: as it was opened.
        raw: another of Pillow's raw modes for its pixels, of as many bits.
    """
    if image.format == "TIFF" and image.tag_v2.get(_COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED:
        raw = raw or _NATIVE.get(_raw_mode(image))
    if raw is not None:
        image.tile = [
            tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:])) for tile in image.tile
        ]
    image.load()
    return ImageOps.exif_transpose(image)


def _is_unsigned(image: Image.Image) -> bool:
    """Whether 32-bit integers, which Pillow reads as signed, are unsigned."""
    tags = getattr(image, "tag_v2", {})
    return set(tags.get(_BITS, ())) == {32} and set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) == {_UNSIGNED}


def _to_array(image: Image.Image, unsigned: bool) -> np.ndarray:
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        gray = np.asarray(image).astype(np.uint16)[..., None]
        return _with_transparency(gray, image.info["transparency"]) if transparent else gray
    if image.mode == "I":
        gray = np.asarray(image)[..., None]
        return gray.view(np.uint32) if unsigned else gray
    if image.mode == "F":
        gray = np.asarray(image)[..., None]
        if not np.isfinite(gray).all():
            raise ValueError("it has pixels that are NaN or infinite")
        return gray
    if image.mode in ("1", "L"):
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA", "RGB") and (transparent or image.mode == "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def _with_transparency(color: np.ndarray, clear: int | tuple[int, ...]) -> np.ndarray:
    """uint16 [h, w, c] with a further channel: 0 where a pixel has the color `clear`, else 65,535."""
    alpha = np.where((color == np.uint16(clear)).all(axis=-1, keepdims=True), 0, 65535)
    return np.concatenate([color, alpha.astype(np.uint16)], axis=-1)


def _reason(file: pathlib.Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return MISSING
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
    if str(error).startswith("decoder error"):  # a number of Pillow's
        return "its pixels are damaged or incomplete"
    return str(error) or type(error).__name__
