"""Finds exported models: those of given paths, or of all runs in a directory."""

import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

RUNS = "runs"
HOW_TO_EXPORT = (
    "Train and export one:\n"
    "    keras-gen train vae --data shapes --out runs/vae\n"
    "    keras-gen export runs/vae\n"
    "    python -m demos runs/vae"
)


class Artifact(NamedTuple):
    """An exported model.

    Attributes:
        name: Name of the run, unique in the app; letters, digits and underscores.
        folder: The export folder, which contains a model.json.
    """

    name: str
    folder: pathlib.Path


def find(paths: Sequence[str | pathlib.Path] = (), runs: str | pathlib.Path = RUNS) -> list[Artifact]:
    """Finds the exported models of runs.

    Args:
        paths: Run directories or export folders; empty for every run under `runs` that has an export.
        runs: Directory of the runs, if there are no `paths`; default `runs`.

    Returns:
        One artifact per model, in the order of `paths`, or by name without them.

    Raises:
        FileNotFoundError: If a run has no export, or there is none; the message has the commands to export one.
    """
    if paths:
        folders = [export_folder(pathlib.Path(path)) for path in paths]
    else:
        folders = sorted(file.parent for file in pathlib.Path(runs).glob("*/export/model.json"))
        if not folders:
            raise FileNotFoundError(
                f"Expected an exported run under {pathlib.Path(runs).resolve()}; received none. {HOW_TO_EXPORT}"
            )
    artifacts: list[Artifact] = []
    taken: set[str] = set()
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        run_name = folder.parent.name if folder.name == "export" else folder.name
        base = re.sub(r"\W+", "_", run_name, flags=re.ASCII).strip("_") or "model"
        name = next(n for i in range(1, len(taken) + 2) if (n := base if i == 1 else f"{base}_{i}") not in taken)
        taken.add(name)
        artifacts.append(Artifact(name, folder))
    return artifacts


def export_folder(path: pathlib.Path) -> pathlib.Path:
    """Returns the export folder of a run directory, or the path itself if it is one.

    Raises:
        FileNotFoundError: If the path is neither.
    """
    for folder in (path, path / "export"):
        if (folder / "model.json").is_file():
            return folder
    if not path.exists():
        raise FileNotFoundError(
            f"Expected a run directory or an export folder; received {path}, which does not exist. {HOW_TO_EXPORT}"
        )
    if (path / "config.json").is_file():
        raise FileNotFoundError(
            f"Expected an exported run; received {path} without an export. Export it: keras-gen export {path}"
        )
    raise FileNotFoundError(f"Expected a folder with export/model.json or model.json; received {path}. {HOW_TO_EXPORT}")
