"""Atomic writes: a file is complete or absent, even if the process or the machine stops while it is written."""

import contextlib
import errno
import hashlib
import os
import pathlib
import re
import secrets
import shutil
from collections.abc import Iterator

SCRATCH = ".tmp-"
# error codes of a full disk or quota, and of a read-only file system
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_ERRNO_IN_MESSAGE = re.compile(r"errno = (\d+)")


class UnwritableError(OSError):
    """A file could not be written: the disk is full or read-only. The message says what is intact."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *, durable: bool = True) -> Iterator[pathlib.Path]:
    """Yields a scratch path next to `path`, which replaces `path` when the block ends without an error.

    The content is flushed to the disk before the rename and the folder after it, so that a reader finds the former
    file or the new one, also after a power failure. Scratch names are unique: two processes do not share one.

    Args:
        path: A file or a folder. Its parent is created if it does not exist. The scratch path has the same suffixes.
        durable: Whether the content is flushed to the disk. False is for one of many files, which the operating system
            then flushes later.

    Yields:
        The path to write to.

    Raises:
        UnwritableError: If the disk is full or read-only; `path` is then unchanged.

    Example:
        >>> with replacing("metrics.csv") as scratch:  # doctest: +SKIP
        ...     scratch.write_text("epoch,loss\\n")
    """
    path = pathlib.Path(path)
    scratch = path.with_name(f"{SCRATCH}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield scratch
            if durable:
                flush(scratch)
            os.replace(scratch, path)
            if durable:
                _flush_one(path.parent)
    finally:
        remove(scratch)


@contextlib.contextmanager
def disk_errors(path: pathlib.Path) -> Iterator[None]:
    """Converts errors of a full or read-only disk, also those of h5py and zipfile, to an `UnwritableError`."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        code = error.errno or next((int(number) for number in _ERRNO_IN_MESSAGE.findall(str(error))), None)
        if code not in _UNWRITABLE:
            raise
        state = "the file of that name is unchanged" if path.exists() else "there was no such file before"
        raise UnwritableError(
            code, f"{os.strerror(code)}: {path} could not be written; {state}. Free some space or choose another disk"
        ) from error


def check_space(folder: pathlib.Path, size: int) -> None:
    """Checks that a disk has room for `size` bytes, before the work whose result is written.

    Args:
        folder: The folder to write to; it need not exist.
        size: Number of bytes.

    Raises:
        UnwritableError: If it has not.
    """
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(nearest).free
    if free < size:
        raise UnwritableError(
            errno.ENOSPC,
            f"{folder} needs {size / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free. Nothing was changed, and the "
            "existing files are intact. Free some space or choose another disk",
        )


def check_writable(path: pathlib.Path) -> None:
    """Checks that files can be written to a folder, before the work whose result is written.

    Args:
        path: The folder; it need not exist.

    Raises:
        NotADirectoryError: If the path or one of its parents is a file.
        PermissionError: If it is not permitted, or the disk is read-only.
    """
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {nearest} is a file; choose another place")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(
            f"{path} cannot be written: no permission to write in {nearest}, or its disk is read-only; choose another "
            "place"
        )


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file atomically, see `replacing`."""
    with replacing(path) as scratch:
        scratch.write_text(text)


def flush(path: pathlib.Path) -> None:
    """Flushes a file, or everything in a folder, to the disk."""
    if path.is_dir():
        for inner in path.rglob("*"):
            _flush_one(inner)
    _flush_one(path)


def _flush_one(path: pathlib.Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot flush a folder
            raise
    finally:
        os.close(descriptor)


def remove(path: pathlib.Path) -> None:
    """Deletes a file or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_scratch(folder: pathlib.Path) -> None:
    """Deletes the scratch files of killed processes in a folder, to which no other process may be writing."""
    if folder.is_dir():
        for path in folder.glob(f"{SCRATCH}*"):
            remove(path)


def digest(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file's content: 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
