"""Opening of files that others may have put there: regular files only."""

import os
import stat
from typing import BinaryIO

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Opens a regular file for reading; never waits for the other end of a pipe.

    The message of a ValueError lacks the path: the caller adds it, with what the file should be.

    Args:
        path: The file.

    Raises:
        ValueError: For a folder, pipe, socket or device, also behind a symbolic link.
        OSError: As `open`.
    """
    _check_regular(os.stat(path))  # before it is opened: opening some devices changes them
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
    try:
        _check_regular(os.fstat(file.fileno()))
    except ValueError:  # replaced in between
        file.close()
        raise
    return file


def _check_regular(status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"expected a regular file; received {_KINDS.get(kind, 'a special file')}")
