"""Files that are either complete or absent, whatever happens to the process or the machine while they are written."""

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
# what the operating system says where a disk or a quota is full, or a file system is read-only
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_IN_TEXT = re.compile(r"errno = (\d+)")


class UnwritableError(OSError):
    """A file could not be written: the disk is full or read-only. The message says what is intact."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *, durable: bool = True) -> Iterator[pathlib.Path]:
    """A scratch path next to `path`, which replaces `path` once the block has ended without an error.

    The content is flushed to the disk before the rename and the folder after it, so that a reader finds the former
    file or the new one, also after a power failure. Scratch names are unique: two processes do not share one.

    Args:
        path: a file or a folder. Its parent is created where it is missing. The scratch path has the same suffixes.
        durable: False leaves it to the operating system when the content is on the disk, for one of many files.

    Yields:
        The path to write to.

    Raises:
        UnwritableError: where the disk is full or read-only; `path` is then as it was.

    Example:
        >>> with files.replacing("metrics.csv") as scratch:
        ...     scratch.write_text("epoch,loss\\n")
    """
    path = pathlib.Path(path)
    scratch = path.with_name(f"{SCRATCH}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
    try:
        with explained(path):
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
def explained(path: pathlib.Path) -> Iterator[None]:
    """Turn the errors of a full or read-only disk, also those of h5py and zipfile, into an `UnwritableError`."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        code = error.errno or next((int(found) for found in _IN_TEXT.findall(str(error))), None)
        if code not in _UNWRITABLE:
            raise
        state = "the file of that name is unchanged" if path.exists() else "there was no such file before"
        raise UnwritableError(
            code, f"{os.strerror(code)}: {path} could not be written; {state}. Free some space or choose another disk"
        ) from error


def check_space(folder: pathlib.Path, size: int) -> None:
    """Whether a disk has room for `size` bytes, asked before the work that ends in writing them.

    Raises:
        UnwritableError: where it has not.
    """
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(nearest).free
    if free < size:
        raise UnwritableError(
            errno.ENOSPC,
            f"{folder} needs {size / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free. Nothing was changed, and what is "
            "there is intact. Free some space or choose another disk",
        )


def check_writable(path: pathlib.Path) -> None:
    """Whether files can be written at a path, asked before the work that ends in writing them.

    Raises:
        NotADirectoryError: where a file stands in the way.
        PermissionError: where it is not permitted, or the disk is read-only.
    """
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {nearest} is a file; choose another place")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(
            f"{path} cannot be written: no permission to write in {nearest}, or its disk is read-only; choose another "
            "place"
        )


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a whole text file, see `replacing`."""
    with replacing(path) as scratch:
        scratch.write_text(text)


def flush(path: pathlib.Path) -> None:
    """Force a file, or everything in a folder, to the disk."""
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
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot flush a folder
            raise
    finally:
        os.close(descriptor)


def remove(path: pathlib.Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_scratch(folder: pathlib.Path) -> None:
    """Delete what killed processes left of `replacing` in a folder; call it where no other process writes there."""
    if folder.is_dir():
        for path in folder.glob(f"{SCRATCH}*"):
            remove(path)


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file's content: 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
