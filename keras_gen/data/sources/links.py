"""Which files are inside a folder: symbolic links may lead anywhere in it, and nowhere else."""

import os
import pathlib
from collections.abc import Iterable

# files and folders of operating systems and archivers, in lower case; names with a dot are left out anyway
_SYSTEM = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information")


def is_hidden(name: str) -> bool:
    """Whether a name is one that begins with a dot, or that systems and archivers leave behind."""
    return name.startswith(".") or name.lower() in _SYSTEM


def find_files(folder: pathlib.Path, root: pathlib.Path) -> list[pathlib.Path]:
    """Finds the files of a folder and everything below it.

    Links to folders are followed, and no folder is searched twice, so that loops end. What kind of file a name stands
    for is not asked: a pipe is found too, and is refused where it would be read.

    Args:
        folder: where to search; hidden names are left out.
        root: the folder that links may not leave.

    Returns:
        Paths in alphabetical order.

    Raises:
        ValueError: where a link leads to a folder outside of `root`.
        OSError: where a folder cannot be listed.
    """
    found, seen, folders, links = [], set(), [folder], []
    while folders or links:
        place = folders.pop() if folders else links.pop()  # a folder is known by its own name where it has one here
        real = os.path.realpath(place)
        if real in seen:
            continue
        check_inside(place, root)
        seen.add(real)
        with os.scandir(place) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                path = place / entry.name
                linked = entry.is_symlink()
                if path.is_dir() if linked else entry.is_dir():  # the former also of a link in a loop
                    (links if linked else folders).append(path)
                else:
                    found.append(path)
        links.sort(reverse=True)
    return sorted(found, key=lambda path: path.parts)


def check_inside(path: pathlib.Path, root: pathlib.Path) -> None:
    """Raise a ValueError that names the path if it is, or its links lead, outside of `root`."""
    for where in outside([path], root).values():
        raise ValueError(f"{path}: {where}")


def outside(paths: Iterable[pathlib.Path], root: pathlib.Path) -> dict[pathlib.Path, str]:
    """Those of the paths that are outside of `root` once their links are followed, each with the reason."""
    base, parents, found = os.path.realpath(root), {}, {}
    for path in paths:
        parent = path.parent
        if parent not in parents:
            parents[parent] = os.path.realpath(parent)
        direct = path.name != ".." and not os.path.islink(path)
        real = os.path.join(parents[parent], path.name) if direct else os.path.realpath(path)
        if real != base and not real.startswith(os.path.join(base, "")):
            found[path] = f"it leads to {real}, outside of {root}; copy the file into the folder"
    return found
