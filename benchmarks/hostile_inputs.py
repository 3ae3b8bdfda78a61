"""Malicious and damaged inputs: decompression bombs, pipes, links, archives with false headers.

All files are small. Formats are encoded here if libraries refuse to write such files.
"""

import json
import os
import pathlib
import pickle
import stat
import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np

STORED, DEFLATED, LZMA = 0, 8, 14
MARKER = "executed"  # a folder with this name is created if a pickle is executed
_PIXELS = bytes(4 * 8 * 8)


def write_hostile_inputs(folder: str | os.PathLike) -> dict[str, pathlib.Path]:
    """Writes hostile images, metadata, arrays and models.

    Each source contains only the hostile part, so that it must be rejected by a `ValueError` that names the file,
    within seconds and in bounded memory. No folder called `MARKER` may appear in `folder`: an unpickled
    object creates it.

    Args:
        folder: An empty or new folder on a file system with pipes and symbolic links.

    Returns:
        Name -> path. A path that ends in .keras is a model for `keras_gen.load`; every other is a source for
        `keras_gen.data.load`, its split called train.

    Example:
        >>> sorted(write_hostile_inputs("hostile"))[0]
        'bmp_bomb'
    """
    folder = pathlib.Path(folder).absolute()
    outside = folder / "outside"
    outside.mkdir(parents=True)
    (outside / "image.png").write_bytes(png(8, 8, bytes(8 * 9)))
    (outside / "metadata.csv").write_text("file_name\nimage.png\n")
    paths = {}
    for name, (file, content) in _files(folder).items():
        target = folder / name
        target.mkdir()
        (target / file).write_bytes(content)
        paths[name] = target / file if file.endswith((".npy", ".npz", ".keras")) else target
    for name, write in _SPECIAL_FILES.items():
        target = folder / name
        target.mkdir()
        paths[name] = write(target, outside) or target
    return paths


def _files(folder: pathlib.Path) -> dict[str, tuple[str, bytes]]:
    """Name -> (file, content) of hostile regular files."""
    good = png(8, 8, bytes(8 * 9))
    gray = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    pixels = npy(_PIXELS, (4, 8, 8), "|u1")
    weights = [("metadata.json", b"{}"), ("config.json", b"{}"), ("model.weights.h5", b"")]
    run_me = pickle.dumps(_CreatesMarker(str(folder / MARKER)))
    image = {
        "png_bomb": png(13_000, 13_000, bytes(1626) * 13_000, bits=1),  # 169 million pixels in 21 kB
        "png_bomb_header": png(20_000, 20_000, b""),
        "png_bomb_sides": png(2**31 - 1, 2**31 - 1, b""),
        "png_without_size": png(0, 0, b""),
        "png_truncated": good[:-26],
        "png_bad_checksum": good.replace(b"IDAT", b"IDAT\1"),
        "png_text_bomb": png(8, 8, bytes(8 * 9), (b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26)))),
        "png_profile_bomb": png(8, 8, bytes(8 * 9), (b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 26)))),
        "png_endless_chunk": good[:33] + struct.pack(">I", 2**31 - 1) + b"IDAT" + bytes(64),
        "png_is_postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(x) run\n",
        "png_is_text": b"not an image\n" * 9,
        "png_is_tiff": b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 4, 1, 10**6) + bytes(4),
        "png_is_empty": b"",
    }
    sized = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 65_000, 65_000, 1) + b"\1\x11\0"
    lossless = b"\x2f" + struct.pack("<I", 16_383 | 16_383 << 14) + bytes(16)
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\0" * 2
    still = b"VP8L" + struct.pack("<I", len(lossless) + 1) + lossless + b"\0"
    return {name: (f"{name}.png", content) for name, content in image.items()} | {
        "jpeg_bomb": ("a.jpg", b"\xff\xd8" + sized + b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\0\x3f\0"),
        "webp_bomb": ("a.webp", _riff(still)),
        "webp_bomb_canvas": ("a.webp", _riff(extended + still)),
        "bmp_bomb": ("a.bmp", _bmp(100_000, 100_000)),
        "bmp_bomb_upside_down": ("a.bmp", _bmp(100_000, -100_000)),
        "gif_bomb": ("a.gif", b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
                     + b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\2\1\0\0;"),
        "tiff_bomb": ("a.tif", tiff(gray, True, tags={256: 100_000, 257: 100_000})),
        "tiff_tile_bomb": ("a.tif", tiff(gray, True, tags={322: 1 << 15, 323: 1 << 15, 324: 200, 325: 64})),
        "tiff_truncated": ("a.tif", tiff(gray, False)[:-40]),
        "tiff_truncated_deflate": ("a.tif", tiff(gray, True)[:-20]),
        "tiff_damaged_lzw": ("a.tif", tiff(gray, False, tags={259: 5})),
        "tiff_strip_size": ("a.tif", tiff(gray, True, tags={279: 2**32 - 1})[:-20]),
        "tiff_tag_bomb": ("a.tif", tiff(gray, False).replace(struct.pack("<HHI", 258, 3, 1),
                                                             struct.pack("<HHI", 258, 3, 2**31 - 1))),
        "tiff_without_tags": ("a.tif", b"II*\0" + struct.pack("<IHI", 8, 0, 0)),
        "tiff_float64": ("a.tif", tiff(gray.astype(np.float64), False)),
        "metadata_parent": ("metadata.csv", b"file_name\n../outside/image.png\n"),
        "metadata_absolute": ("metadata.jsonl", _line(file_name=str(folder / "outside" / "image.png"))),
        "metadata_null": ("metadata.csv", b"file_name,caption\na.png,a\0b\n"),
        "metadata_null_name": ("metadata.jsonl", _line(file_name="a\0.png")),
        "metadata_not_utf8": ("metadata.csv", b"file_name,caption\na.png,\xff\xfe\n"),
        "metadata_endless_line": ("metadata.jsonl", _line(file_name="a.png", caption="x" * (2 << 20))),
        "metadata_endless_cell": ("metadata.csv", b'file_name,caption\na.png,"' + b"x\n" * 100_000 + b'"\n'),
        "metadata_nested": ("metadata.jsonl", b'{"file_name": ' + b"[" * 100_000 + b"\n"),
        "npy_shape": ("a.npy", npy(b"", (10**12,), "<f4")),
        "npy_shape_negative": ("a.npy", npy(_PIXELS, (-4, 8, 8), "|u1")),
        "npy_shape_of_nothing": ("a.npy", npy(b"", (10**12, 8, 8), "|S0")),
        "npy_header": ("a.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + b" " * 64),
        "npy_header_nested": ("a.npy", npy(b"", "(" * 5000, "|u1")),
        "npy_pickle": ("a.npy", npy(run_me, (1,), "|O")),
        "npy_is_pickle": ("a.npy", run_me),
        "npz_shape": ("a.npz", archive([("image.npy", npy(b"", (10**12,), "<f4"))])),
        "npz_header": ("a.npz", archive([("image.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1))])),
        "npz_pickle": ("a.npz", archive([("image.npy", pixels), ("label.npy", npy(run_me, (4,), "|O"))])),
        "npz_bomb": ("a.npz", archive([("image.npy", bytes(9 << 20))], method=DEFLATED, announced=9 << 30)),
        "npz_ratio": ("a.npz", archive([("image.npy", bytes(64))], method=DEFLATED, announced=7 << 30)),
        "npz_lying_size": ("a.npz", _false_size()),
        "npz_lzma": ("a.npz", archive([("image.npy", bytes(64))], method=LZMA, announced=1 << 20)),
        "npz_many_members": ("a.npz", _many_members(30_000)),
        "npz_overlapping": ("a.npz", _overlapping(pixels)),
        "npz_duplicates": ("a.npz", archive([("image.npy", pixels)] * 2)),
        "npz_parent": ("a.npz", archive([("../image.npy", pixels)])),
        "npz_absolute": ("a.npz", archive([("/image.npy", pixels)])),
        "npz_encrypted": ("a.npz", archive([("image.npy", pixels)], flags=1)),
        "npz_truncated": ("a.npz", archive([("image.npy", pixels)])[:-60]),
        "npz_cut_in_front": ("a.npz", archive([("image.npy", pixels)])[40:]),
        "npz_bad_checksum": ("a.npz", archive([("image.npy", pixels)], checksum=1)),
        "npz_without_arrays": ("a.npz", archive([("readme.txt", b"hello")])),
        "npz_is_text": ("a.npz", b"not an archive\n" * 9),
        "npz_is_empty": ("a.npz", b""),
        "keras_bomb": ("a.keras", archive([*weights[:2], ("model.weights.h5", bytes(9 << 20))], method=DEFLATED,
                                          announced=9 << 30)),
        "keras_many_members": ("a.keras", _many_members(30_000)),
        "keras_parent": ("a.keras", archive([*weights, ("../../assets/a", b"")])),
        "keras_duplicates": ("a.keras", archive([*weights, weights[1]])),
        "keras_encrypted": ("a.keras", archive(weights, flags=1)),
        "keras_bad_checksum": ("a.keras", archive(weights, checksum=1)),
        "keras_truncated": ("a.keras", archive(weights)[:-60]),
    }  # fmt: skip


def _fifo(folder: pathlib.Path, outside: pathlib.Path) -> None:
    os.mkfifo(folder / "a.png")


def _fifo_source(suffix: str) -> Callable:
    def write(folder: pathlib.Path, outside: pathlib.Path) -> pathlib.Path:
        os.mkfifo(folder / f"a{suffix}")
        return folder / f"a{suffix}"

    return write


def _fifo_metadata(folder: pathlib.Path, outside: pathlib.Path) -> None:
    (folder / "image.png").write_bytes((outside / "image.png").read_bytes())
    os.mkfifo(folder / "metadata.csv")


def _socket(folder: pathlib.Path, outside: pathlib.Path) -> None:
    os.mknod(folder / "a.png", stat.S_IFSOCK | 0o600)


def _link(target: str, name: str = "a.png") -> Callable:
    def write(folder: pathlib.Path, outside: pathlib.Path) -> None:
        (folder / name).symlink_to(target)

    return write


def _link_in_metadata(folder: pathlib.Path, outside: pathlib.Path) -> None:
    (folder / "inner").symlink_to(outside)
    (folder / "metadata.csv").write_text("file_name\ninner/image.png\n")


def _folder_loop(folder: pathlib.Path, outside: pathlib.Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "loop").symlink_to("..")


_SPECIAL_FILES = {
    "fifo": _fifo,
    "fifo_npy": _fifo_source(".npy"),
    "fifo_npz": _fifo_source(".npz"),
    "fifo_keras": _fifo_source(".keras"),
    "fifo_metadata": _fifo_metadata,
    "socket": _socket,
    "device": _link("/dev/zero"),
    "link_outside": _link("../outside/image.png"),
    "link_to_folder_outside": _link("../outside", "cats"),
    "link_of_split_outside": _link("../outside", "train"),
    "link_of_metadata_outside": _link("../outside/metadata.csv", "metadata.csv"),
    "link_in_metadata": _link_in_metadata,
    "link_loop": _link("a.png"),
    "folder_loop": _folder_loop,
}


def tiff(
    image: np.ndarray,
    compressed: bool,
    extra: int | None = None,
    photometric: int | None = None,
    tags: Mapping[int, int] | None = None,
) -> bytes:
    """Returns a TIFF file of one strip.

    Args:
        image: [h, w, 1, 3 or 4], with the type and byte order of the file.
        compressed: Whether to compress by deflate.
        extra: Meaning of the fourth channel; 2 is alpha, 1 is alpha with premultiplied colors.
        photometric: 0 if white is zero, 1 if black is zero, 2 for colors; None is 1 or 2, depending on the channels.
        tags: Tag -> number, of tags to change or to add.
    """
    order = ">" if image.dtype.str.startswith(">") else "<"
    height, width, channels = image.shape
    content = zlib.compress(image.tobytes()) if compressed else image.tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[image.dtype.kind]
    photometric = (1 if channels < 3 else 2) if photometric is None else photometric
    tag_values = {
        **{256: [width], 257: [height], 258: [8 * image.dtype.itemsize] * channels, 259: [8 if compressed else 1]},
        **{262: [photometric], 273: [0], 277: [channels], 278: [height], 279: [len(content)], 339: [kind] * channels},
        **({} if extra is None else {338: [extra]}),
        **{tag: [value] for tag, value in (tags or {}).items()},
    }
    short = {258, 259, 262, 277, 338, 339}
    start = 8 + 2 + 12 * len(tag_values) + 4
    outside, entries = b"", []
    for tag, values in sorted(tag_values.items()):
        text = struct.pack(f"{order}{len(values)}{'H' if tag in short else 'I'}", *values)
        if len(text) > 4:
            field = struct.pack(f"{order}I", start + len(outside))
            outside += text
        else:
            field = text.ljust(4, b"\0")
        entries.append(struct.pack(f"{order}HHI", tag, 3 if tag in short else 4, len(values)) + field)
    strip = struct.pack(f"{order}I", start + len(outside))
    entries = [entry[:8] + strip if entry.startswith(struct.pack(f"{order}H", 273)) else entry for entry in entries]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return head + b"".join(entries) + bytes(4) + outside + content


def png(width: int, height: int, rows: bytes, *chunks: tuple[bytes, bytes], bits: int = 8) -> bytes:
    """Returns a gray PNG file.

    Args:
        width: Width in the header.
        height: Height in the header.
        rows: Uncompressed data, a filter byte and the pixels of each row.
        *chunks: (type, content) of chunks before the pixels.
        bits: Bits of a pixel.
    """
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    content = b""
    for kind, data in (header, *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + content


def npy(data: bytes, shape: tuple[int, ...] | str, dtype: str) -> bytes:
    """Returns an .npy file with a shape and a type in its header, whatever its data are."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def archive(
    members: list[tuple[str, bytes]],
    *,
    method: int = STORED,
    announced: int | None = None,
    flags: int = 0,
    checksum: int | None = None,
) -> bytes:
    """Returns a zip archive whose headers may be false.

    Args:
        members: (name, stored content).
        method: Compression method in the headers.
        announced: Uncompressed bytes of the last member in the headers; None is the true size.
        flags: General purpose bits; 1 is "encrypted".
        checksum: CRC-32 of the last member in the headers; None is the true one.
    """
    body, directory = b"", b""
    for index, (name, content) in enumerate(members):
        last = index == len(members) - 1
        size = announced if last and announced is not None else len(content)
        crc = checksum if last and checksum is not None else zlib.crc32(content)
        # sizes beyond 32 bits are in an extra field
        extra = struct.pack("<HHQ", 1, 8, size) if size >= 2**32 - 1 else b""
        common = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 0, crc, len(content), min(size, 2**32 - 1),
                             len(name), len(extra))  # fmt: skip
        directory += b"PK\1\2\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode() + extra
        body += b"PK\3\4" + common + name.encode() + extra + content
    return body + directory + _end(len(members), len(directory), len(body))


def _end(count: int, size: int, start: int) -> bytes:
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 65535), min(count, 65535), size, start, 0)


def _false_size() -> bytes:
    """Returns an archive with an array of 64 MiB whose size in the directory is 256 bytes."""
    array = npy(bytes(64 << 20), (64, 1024, 1024), "|u1")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = packer.compress(array) + packer.flush()
    return archive([("image.npy", content)], method=DEFLATED, announced=256, checksum=zlib.crc32(array[:256]))


def _many_members(count: int) -> bytes:
    """Returns an archive of `count` members that share one empty content."""
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, 0, 0, 0, 6, 0) + b"000000"
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + b"%06d" % number for number in range(count))
    return local + directory + _end(count, len(directory), len(local))


def _overlapping(content: bytes) -> bytes:
    """Returns an archive of two members at the same bytes, as in bombs of a few kB with terabytes of members."""
    whole = bytearray(archive([("image.npy", content), ("other.npy", content)]))
    second = whole.rindex(b"PK\1\2")
    whole[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(whole)


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 12, 0, 0, 54) + header + bytes(12)


def _line(**row: str) -> bytes:
    return json.dumps(row).encode() + b"\n"


class _CreatesMarker:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        for name, path in write_hostile_inputs(scratch).items():
            print(f"{name:28} {path}")
