"""The identity of files: their names and contents, independent of their location and modification time."""

import contextlib
import hashlib
import os
import pathlib
import time
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor

from keras_gen.runtime.regular_file import open_regular

from .store import Store

# bytes; larger files are not images, and only their size is hashed
_MAX_BYTES = 1 << 30
# seconds; a file that was modified more recently may change again within one tick of the file system's clock
_MIN_AGE = 2.0


def digest_files(
    paths: Sequence[pathlib.Path], root: pathlib.Path, refused: Container[pathlib.Path], store: Store
) -> str:
    """Returns a digest of the names and contents of files, which is the same for a copy of the folder.

    The digest is stored under the files' metadata (names, sizes, times, inodes), so that unmodified files are not
    read again.

    Args:
        paths: The files, in order.
        root: The folder that their names are relative to.
        refused: Files that must not be opened.
        store: Storage of digests.

    Returns:
        Hexadecimal digits. An unreadable file counts as unreadable.
    """
    names = [path.relative_to(root).as_posix() for path in paths]
    states = [None if path in refused else _state(path) for path in paths]
    metadata = repr((os.path.realpath(root), list(zip(names, states, strict=True))))
    key = f"{hashlib.sha256(metadata.encode(errors='surrogateescape')).hexdigest()}-content"
    if stored := store.read_text(key):
        return stored
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        contents = repr(list(zip(names, pool.map(_digest, paths, states), strict=True)))
    digest = hashlib.sha256(contents.encode(errors="surrogateescape")).hexdigest()
    if max((max(state[1:3]) for state in states if state), default=0) < (time.time() - _MIN_AGE) * 1e9:
        with contextlib.suppress(OSError):  # if the store is not writable, the files are read again next time
            store.write_text(key, digest)
    return digest


def _state(path: pathlib.Path) -> tuple[int, int, int, int] | None:
    """Returns size, modification time, change time and inode, or None if there is no such file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _digest(path: pathlib.Path, state: tuple[int, int, int, int] | None) -> str | None:
    if state is None:
        return None
    if state[0] > _MAX_BYTES:
        return f"{state[0]} bytes"
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # ty: ignore[no-matching-overload]  # BinaryIO has readinto
    except (OSError, ValueError):
        return None
