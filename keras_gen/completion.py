"""Shell completion with Tab: systems, presets, settings, data sources and run directories."""

import glob
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import zoo


def systems(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yields (key, title) of the systems whose key begins with the typed text.

    Args:
        incomplete: the typed text.
    """
    from . import zoo

    yield from ((key, row.title) for key, row in zoo.SYSTEMS.items() if key.startswith(incomplete))


def settings(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yields (`NAME=`, default and description) of the settings of the system in the command line.

    Args:
        incomplete: the typed text.
    """
    if (system := _system()) is None:
        return
    descriptions = system.setting_descriptions
    for name, default in system.settings.items():
        if f"{name}=".startswith(incomplete):
            description = f"; {descriptions[name]}" if descriptions[name] else ""
            yield f"{name}=", f"default {json.dumps(default)}{description}"


def presets(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yields (name, description) of the presets of the system in the command line.

    Args:
        incomplete: the typed text.
    """
    if (system := _system()) is not None:
        yield from ((name, each.description) for name, each in system.presets.items() if name.startswith(incomplete))


def _system() -> "zoo.System | None":
    from . import zoo

    # the words of the command line as the shells pass them on: for the parser, an option without its value hides the
    # arguments before it
    words = f"{os.environ.get('COMP_WORDS', '')} {os.environ.get('_TYPER_COMPLETE_ARGS', '')}".split()
    key = next((word for word in words if word in zoo.SYSTEMS), None)
    return None if key is None else zoo.get(key)


def sources(incomplete: str) -> Iterator[str]:
    """Yields built-in and prepared datasets, folders and array files.

    Args:
        incomplete: the typed text.
    """
    from keras_gen.data.resolve import BUILT_IN
    from keras_gen.data.sources.tfds_builders import prepared_sets

    names = dict.fromkeys((*BUILT_IN, *prepared_sets()))
    yield from (name for name in names if name.startswith(incomplete))
    yield from _paths(incomplete, (".npz", ".npy"))


def run_directories(incomplete: str) -> Iterator[str]:
    """Yields run directories, and folders on the way to one.

    Args:
        incomplete: the typed text.
    """
    for path in _paths(incomplete, ()):
        yield path.rstrip(os.sep) if os.path.isfile(os.path.join(path, "config.json")) else path


def _paths(incomplete: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    for path in sorted(glob.glob(glob.escape(incomplete) + "*")):
        if os.path.isdir(path):
            yield path + os.sep
        elif path.endswith(suffixes):
            yield path
