"""Search for files in a folder whose symbolic links must not lead out of it."""

import os
import pathlib
from collections.abc import Iterable

# files and folders of operating systems and archivers, in lower case
_SYSTEM = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information")


def is_hidden(name: str) -> bool:
    """Returns whether a name begins with a dot or belongs to an operating system or archiver."""
    return name.startswith(".") or name.lower() in _SYSTEM


def find_files(folder: pathlib.Path, root: pathlib.Path) -> list[pathlib.Path]:
    """Finds all files below a folder.

    Links to folders are followed, and every folder is searched once, so that loops end. The result includes pipes and
    other special files, which the readers refuse.

    Args:
        folder: The folder to search; hidden names are ignored.
        root: The folder that links must not leave.

    Returns:
        Paths in alphabetical order.

    Raises:
        ValueError: If a link leads to a folder outside of `root`.
        OSError: If a folder cannot be listed.
    """
    files: list[pathlib.Path] = []
    visited: set[str] = set()
    folders, links = [folder], []
    while folders or links:
        # links come last, so that a folder is listed under its own name if possible
        current = folders.pop() if folders else links.pop()
        real = os.path.realpath(current)
        if real in visited:
            continue
        check_inside(current, root)
        visited.add(real)
        with os.scandir(current) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                path = current / entry.name
                is_link = entry.is_symlink()
                if path.is_dir() if is_link else entry.is_dir():  # Path.is_dir is False for a link in a loop
                    (links if is_link else folders).append(path)
                else:
                    files.append(path)
        links.sort(reverse=True)
    return sorted(files, key=lambda path: path.parts)


def check_inside(path: pathlib.Path, root: pathlib.Path) -> None:
    """Checks that a path is inside of a folder after following its links.

    Args:
        path: The path.
        root: The folder.

    Raises:
        ValueError: If it is not.
    """
    for reason in find_outside([path], root).values():
        raise ValueError(f"{path}: {reason}")


def find_outside(paths: Iterable[pathlib.Path], root: pathlib.Path) -> dict[pathlib.Path, str]:
    """Finds the paths that are outside of a folder after following their links.

    Args:
        paths: The paths.
        root: The folder.

    Returns:
        Path -> reason for a message.
    """
    base = os.path.realpath(root)
    parents: dict[pathlib.Path, str] = {}
    outside: dict[pathlib.Path, str] = {}
    for path in paths:
        parent = path.parent
        if parent not in parents:
            parents[parent] = os.path.realpath(parent)
        direct = path.name != ".." and not os.path.islink(path)
        real = os.path.join(parents[parent], path.name) if direct else os.path.realpath(path)
        if real != base and not real.startswith(os.path.join(base, "")):
            outside[path] = f"it leads to {real}, outside of {root}; copy the file into the folder"
    return outside
