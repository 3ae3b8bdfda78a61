"""Which exported models there are: from what a person named, or from all runs under a directory."""

import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

RUNS = "runs"
MAKE_ONE = (
    "Make one:\n"
    "    keras-gen train vae --data shapes --out runs/vae\n"
    "    keras-gen export runs/vae\n"
    "    python -m demos runs/vae"
)


class Artifact(NamedTuple):
    """An exported model.

    Attributes:
        name: unique in the app, letters, digits and underscores; the run's name.
        folder: its export folder, which holds a model.json.
    """

    name: str
    folder: pathlib.Path


def find(paths: Sequence[str | pathlib.Path] = (), runs: str | pathlib.Path = RUNS) -> list[Artifact]:
    """The exported models of runs.

    Args:
        paths: run directories or export folders; none takes every run under `runs` that has an export.
        runs: where to look without `paths`.

    Returns:
        One artifact for each, in the order given (by name where none is given).

    Raises:
        FileNotFoundError: where one has no export, or there is none at all; the message has the commands to make one.
    """
    if paths:
        folders = [export_folder(pathlib.Path(path)) for path in paths]
    else:
        folders = sorted(file.parent for file in pathlib.Path(runs).glob("*/export/model.json"))
        if not folders:
            raise FileNotFoundError(f"There is no exported run under {pathlib.Path(runs).resolve()}. {MAKE_ONE}")
    artifacts, taken = [], set()
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        named = folder.parent.name if folder.name == "export" else folder.name
        base = re.sub(r"\W+", "_", named, flags=re.ASCII).strip("_") or "model"
        name = next(n for i in range(1, len(taken) + 2) if (n := base if i == 1 else f"{base}_{i}") not in taken)
        taken.add(name)
        artifacts.append(Artifact(name, folder))
    return artifacts


def export_folder(path: pathlib.Path) -> pathlib.Path:
    """The export folder of a run directory, or the path itself where it is one.

    Raises:
        FileNotFoundError: where there is neither.
    """
    for folder in (path, path / "export"):
        if (folder / "model.json").is_file():
            return folder
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected a run directory or an export folder. {MAKE_ONE}")
    if (path / "config.json").is_file():
        raise FileNotFoundError(f"{path} is a run without an export. Make it: keras-gen export {path}")
    raise FileNotFoundError(f"{path} holds neither export/model.json nor model.json. {MAKE_ONE}")
