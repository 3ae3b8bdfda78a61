"""What identifies files: their names and bytes, wherever they lie and whenever they were written."""

import contextlib
import hashlib
import os
import pathlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from keras_gen.archives import open_regular

from .store import Store

# bytes of a file that are read: larger ones are no images
_MOST = 1 << 30
# seconds: what was changed later may be changed once more within one tick of the file system's clock
_SETTLED = 2.0


def digest_files(paths: Sequence[pathlib.Path], root: pathlib.Path, refused, store: Store) -> str:
    """A digest of the names and the bytes of files, the same for a copy of the folder.

    It is kept in the store under what the file system says of the files (names, sizes, times, inodes), so that the
    files of a folder that nobody has touched are not read again.

    Args:
        paths: the files, in order.
        root: where their names begin.
        refused: those of them that are not to be opened.
        store: where digests are kept.

    Returns:
        Hexadecimal digits. A file that cannot be read counts as such.
    """
    names = [path.relative_to(root).as_posix() for path in paths]
    states = [None if path in refused else _state(path) for path in paths]
    about = repr((os.path.realpath(root), list(zip(names, states, strict=True))))
    key = f"{hashlib.sha256(about.encode(errors='surrogateescape')).hexdigest()}-content"
    if kept := store.recall(key):
        return kept
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        contents = pool.map(_digest, paths, states)
        listed = repr(list(zip(names, contents, strict=True)))
    digest = hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()
    if max((max(state[1:3]) for state in states if state), default=0) < (time.time() - _SETTLED) * 1e9:
        with contextlib.suppress(OSError):  # a store that cannot be written costs reading the files again
            store.keep(key, digest)
    return digest


def _state(path: pathlib.Path) -> tuple[int, int, int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino


def _digest(path: pathlib.Path, state: tuple | None) -> str | None:
    if state is None or state[0] > _MOST:
        return state and f"{state[0]} bytes"
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
