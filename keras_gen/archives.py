"""Safe reading of zip archives that may be damaged or malicious, `.keras` files among them.

The messages of `open_archive` lack the path: the caller adds it, with what the file should be.
"""

import contextlib
import os
import struct
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from keras_gen.runtime.regular_file import open_regular

if TYPE_CHECKING:
    import keras

# uncompressed bytes of a member; all members together may have `TOTAL` times as many
MAX_MEMBER_BYTES = 8 << 30
TOTAL = 4
# members of an archive, and bytes of its directory, which zipfile reads as a whole
MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 4 << 20
# deflate needs two bits for at most 258 bytes, so a larger ratio in the directory is wrong. A smaller bound would
# reject valid data: black images compress to a thousandth
DEFLATE_RATIO = 1032
_END, _END_SIZE, _END_64_SIZE, _MAX_COMMENT, _FILE_HEADER_SIZE = b"PK\5\6", 22, 76, 65535, 30
_METHODS = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}


@contextlib.contextmanager
def open_archive(
    path: str | os.PathLike, max_member_bytes: int = MAX_MEMBER_BYTES
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Opens a zip archive and checks its directory before anything is unpacked.

    `zipfile` never unpacks more of a member than the size in the directory, so these sizes are reliable bounds. Only
    the methods "stored" and "deflated" are accepted: `zipfile` unpacks others in pieces of unbounded size.

    Args:
        path: The archive.
        max_member_bytes: Maximum number of uncompressed bytes of a member.

    Yields:
        The archive and the entries of its directory.

    Raises:
        ValueError: For a file that is no archive, or an incomplete or unsafe one; the message names the member.
        OSError: As `open`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_directory_size(file, size)
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError, ...
            raise ValueError(f"its directory cannot be read, the archive is damaged: {error}") from error
        with archive:
            members = archive.infolist()
            _check_members(members, max_member_bytes)
            yield archive, members


def _check_directory_size(file: BinaryIO, size: int) -> None:
    """Finds the record at the end of an archive, as `zipfile` does, and checks the directory's size in it."""
    file.seek(max(0, size - _END_SIZE - _MAX_COMMENT - _END_64_SIZE))
    tail = file.read()
    start = len(tail) - _END_SIZE
    if tail[start : start + 4] != _END or tail[-2:] != b"\0\0":  # a comment follows
        start = tail.rfind(_END)
    if start < 0 or start + _END_SIZE > len(tail):
        raise ValueError(f"its {size:,} bytes are no whole zip archive; copy or write it again")
    declared = struct.unpack_from("<I", tail, start + 12)[0]
    before = tail[max(0, start - _END_64_SIZE) : start]
    if before[:4] == b"PK\6\6" and len(before) == _END_64_SIZE:
        declared = struct.unpack_from("<Q", before, 40)[0]
    if declared > MAX_DIRECTORY_BYTES:
        raise ValueError(
            f"its directory of names has {declared:,} bytes; expected at most {MAX_DIRECTORY_BYTES:,}, which is "
            f"more than {MAX_MEMBERS:,} members need"
        )


def _check_members(members: list[zipfile.ZipInfo], max_member_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"it has {len(members):,} members; expected at most {MAX_MEMBERS:,}")
    seen, end = set(), 0
    for member in sorted(members, key=lambda member: member.header_offset):
        name = member.orig_filename
        parts = name.replace("\\", "/").split("/")
        if not parts[0] or ".." in parts or ":" in parts[0] or "\0" in name:
            raise ValueError(f"its member {name!r} has a name that leads out of the archive")
        if name in seen:
            raise ValueError(f"it has two members called {name!r}")
        if member.flag_bits & 1:
            raise ValueError(f"its member {name!r} is encrypted; save the archive without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
            raise ValueError(f"its member {name!r} is compressed by {method}; expected no compression or deflate")
        if member.file_size > max_member_bytes:
            raise ValueError(
                f"its member {name!r} has {member.file_size:,} bytes when it is unpacked; expected at most "
                f"{max_member_bytes:,} (max_member_bytes)"
            )
        ratio = DEFLATE_RATIO if member.compress_type == zipfile.ZIP_DEFLATED else 1
        if member.file_size > ratio * member.compress_size:
            raise ValueError(
                f"its member {name!r} announces {member.file_size:,} bytes, more than its {member.compress_size:,} "
                "compressed bytes can hold; the archive is damaged"
            )
        if member.header_offset < 0:
            raise ValueError(f"its member {name!r} begins before the file does; the archive is incomplete")
        if member.header_offset < end:
            raise ValueError(f"its member {name!r} lies on the bytes of another member; the archive is damaged")
        seen.add(name)
        end = member.header_offset + _FILE_HEADER_SIZE + member.compress_size
    total = sum(member.file_size for member in members)
    if total > TOTAL * max_member_bytes:
        raise ValueError(
            f"its members have {total:,} bytes together when they are unpacked; expected at most "
            f"{TOTAL * max_member_bytes:,} ({TOTAL} times max_member_bytes)"
        )


def check_keras(path: str | os.PathLike) -> None:
    """Checks that a `.keras` file is intact: Keras seeks in the archive and opens files with flipped bits.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For a file that is no archive, an unsafe one, or a member whose checksum is wrong; the message names
            the file and the member.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} does not exist: expected a run directory with a model.keras, or such a file")
    try:
        with open_archive(path) as (archive, _):
            if damaged := archive.testzip():
                raise ValueError(f"its member {damaged!r} is not what was written")
    except Exception as error:  # zipfile, zlib and struct each raise their own
        raise _unreadable(path, error) from error


def load_keras(path: str | os.PathLike) -> "keras.Model":
    """Loads a `.keras` file, which is checked before Keras unpacks it.

    Keras itself checks the sizes in the HDF5 file of the weights.

    Args:
        path: The file. Its classes must be registered with Keras.

    Returns:
        The model.

    Raises:
        FileNotFoundError: As `check_keras`.
        ValueError: As `check_keras`, and if Keras cannot build the model.
    """
    import keras

    check_keras(path)
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # h5py, json and Keras each raise their own
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike, error: Exception) -> ValueError:
    return ValueError(f"{path} cannot be read as a Keras model; it may be damaged or incomplete: {error}")
