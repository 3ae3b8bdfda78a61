"""Grids of images, and image files. PNG needs the standard library alone, other formats need Pillow."""

import pathlib
import struct
import zlib

import numpy as np

# suffixes of images that are written with Pillow -> its name of the format
PILLOW_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Converts floats in [0, 1] to uint8, 0 to 255; floats outside are clipped, and uint8 is unchanged."""
    if images.dtype == np.uint8:
        return images
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2, header: int = 0) -> np.ndarray:
    """Arranges images in a grid, row by row, on white.

    Args:
        images: [num, height, width, channels], floats in [0, 1] or uint8.
        columns: images in a row; None makes the grid about square.
        pad: white pixels between images and around them, >= 0.
        header: further white pixels above each image, >= 0.

    Returns:
        uint8 [rows, columns, channels].

    Example:
        >>> grid(np.zeros((6, 8, 8, 1)), columns=3, pad=1).shape
        (19, 28, 1)
    """
    num, height, width, channels = images.shape
    columns = min(num, columns or int(np.ceil(np.sqrt(num))))
    rows = -(-num // columns)
    cell_height, cell_width = height + header + pad, width + pad
    canvas = np.full((rows * cell_height + pad, columns * cell_width + pad, channels), 255, np.uint8)
    for index, image in enumerate(to_uint8(images)):
        top, left = pad + index // columns * cell_height + header, pad + index % columns * cell_width
        canvas[top : top + height, left : left + width] = image
    return canvas


def write_png(file: str | pathlib.Path, picture: np.ndarray) -> None:
    """Writes a PNG file.

    Args:
        file: the file to write.
        picture: uint8 [height, width, 1, 3 or 4].

    Raises:
        ValueError: for another number of channels.
    """
    height, width, channels = picture.shape
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected 1, 3 or 4 channels for a PNG; received {channels}: write the images as .npy")
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    pathlib.Path(file).write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_images(file: str | pathlib.Path, images: np.ndarray, columns: int | None = None) -> None:
    """Writes images as a grid in the format of the file's suffix, or unchanged as .npy.

    Args:
        file: the file to write; its name ends in .png, .npy or a key of `PILLOW_FORMATS`, which need Pillow.
        images: [num, height, width, channels], floats in [0, 1].
        columns: images in a row of the grid; None makes it about square.
    """
    file = pathlib.Path(file)
    suffix = file.suffix.lower()
    if suffix == ".npy":
        with open(file, "wb") as stream:  # np.save would add a second suffix to a name in capitals
            np.save(stream, images)
    elif suffix == ".png":
        write_png(file, grid(images, columns))
    else:
        from PIL import Image

        picture = grid(images, columns)
        options = {"lossless": True} if suffix == ".webp" else {"quality": 95} if suffix in (".jpg", ".jpeg") else {}
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(
            file, PILLOW_FORMATS[suffix], **options
        )
