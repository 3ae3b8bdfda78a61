"""Which files are inside a folder: symbolic links may lead anywhere in it, and nowhere else."""

import os
import pathlib
from collections.abc import Iterable


def find_files(folder: pathlib.Path, root: pathlib.Path, suffixes: tuple[str, ...]) -> list[pathlib.Path]:
    """Find files by the ends of their names, in a folder and everything below it.

    Links to folders are followed, and no folder is searched twice, so that loops end. What kind of file a name stands
    for is not asked: a pipe is found too, and is refused where it would be read.

    Args:
        folder: where to search; names that begin with a dot are left out.
        root: the folder that links may not leave.
        suffixes: in lower case, as ".png".

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
                path = place / entry.name
                if entry.name.startswith("."):
                    continue
                if path.is_dir():
                    (links if entry.is_symlink() else folders).append(path)
                elif path.suffix.lower() in suffixes:
                    found.append(path)
        links.sort(reverse=True)
    return sorted(found)


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
        real = os.path.realpath(path) if path.is_symlink() else os.path.join(parents[parent], path.name)
        real = os.path.normpath(real)
        if real != base and not real.startswith(os.path.join(base, "")):
            found[path] = f"it leads to {real}, outside of {root}; copy the file into the folder"
    return found
