"""The lock of a run directory: one process at a time trains in it."""

import contextlib
import datetime
import json
import os
import pathlib
import socket
import time
from collections.abc import Iterator

import filelock

from keras_gen import files

LOCK = ".lock"
HOLDER = ".lock_holder.json"
# a process that has just acquired the lock writes its name within these attempts, with this pause in seconds
ATTEMPTS, PAUSE = 20, 0.05
# a directory with only these files counts as empty
LOCK_FILES = (LOCK, HOLDER)


class RunInUseError(BlockingIOError):
    """Another process trains in this run directory; the message names the process."""


@contextlib.contextmanager
def lock(folder: pathlib.Path) -> Iterator[None]:
    """Acquires the lock of a run directory; the operating system releases it with the process, also after kill -9.

    Args:
        folder: the run directory, which is created where it is missing.

    Raises:
        RunInUseError: where another process has the lock.
        UnwritableError: where the disk is full or read-only.
    """
    with files.disk_errors(folder / LOCK):
        folder.mkdir(parents=True, exist_ok=True)
        handle = filelock.FileLock(folder / LOCK, timeout=0)
        try:
            handle.acquire()
        except filelock.Timeout:
            raise RunInUseError(f"{folder} is in use by {_holder(folder)}. Wait until it ends, or stop it") from None
    try:
        _write_holder(folder)
        yield
    finally:
        files.remove(folder / HOLDER)
        handle.release()


def holder_of(folder: pathlib.Path) -> str | None:
    """Returns a description of the process that trains in a run directory; None without such a process.

    Args:
        folder: the run directory.
    """
    if not (folder / LOCK).is_file():
        return None
    handle = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        handle.acquire()
    except filelock.Timeout:
        return _holder(folder)
    except OSError:  # a read-only folder, in which no process can train
        return None
    handle.release()
    return None


def _write_holder(folder: pathlib.Path) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    holder = {"process": os.getpid(), "host": socket.gethostname(), "since": now}
    files.write_text(folder / HOLDER, json.dumps(holder) + "\n")


def _holder(folder: pathlib.Path) -> str:
    for _ in range(ATTEMPTS):
        try:
            holder = json.loads((folder / HOLDER).read_text())
            return f"process {holder['process']} on {holder['host']}, which has trained there since {holder['since']}"
        except FileNotFoundError:  # the process has just acquired the lock
            time.sleep(PAUSE)
        except (OSError, ValueError, KeyError, TypeError):  # the file is damaged
            break
    return "another process"
