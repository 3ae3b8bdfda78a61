"""Verification of a run directory, and its repair from the newest intact state."""

import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keras_gen.export.parity import read_parity
from keras_gen.runs import Run, format_problem, read_json, write_json
from keras_gen.runs.checkpoints import Checkpoints, DamagedStateError, State
from keras_gen.runs.history import History, read_rows
from keras_gen.runs.lock import holder_of, lock
from keras_gen.runtime.description import read_description
from keras_gen.runtime.model_file import check_file, digest_of_file
from keras_gen.training.resume import changes

from . import archives, files


class Finding(NamedTuple):
    """The result for one part of a run directory.

    Attributes:
        part: the file or folder, relative to the run directory.
        fine: whether the part is undamaged.
        text: a description of the part, or of its damage.
        remedy: what to do about the damage; empty for an undamaged part.
    """

    part: str
    fine: bool
    text: str
    remedy: str = ""


def check(path: str | os.PathLike) -> list[Finding]:
    """Compares the files of a run directory with their digests; it changes nothing and needs no TensorFlow.

    Args:
        path: the run directory.

    Returns:
        a finding for each part that exists or is missing, in the order config.json, states, metrics, models,
        evaluation, export, scratch files of killed processes.

    Raises:
        FileNotFoundError: where the directory does not exist or has no file of a run.
    """
    path = pathlib.Path(path)
    run = Run(path, {})
    if not path.is_dir() or not any(
        each.exists() for each in (path / "config.json", run.checkpoints, run.model_file, run.metrics_file)
    ):
        raise FileNotFoundError(f"Expected a run directory that `keras-gen train` has written; received {path}")
    intact, _ = Checkpoints(run.checkpoints).intact()
    newest = max(intact, default=None)
    record = intact.get(newest)
    training = [*_config(run, record), *_states(run), *_metrics(run, record), *_models(run, newest, record)]
    return [*training, *_evaluation(run), *_export(run), *_scratch_files(run)]


def repair(path: str | os.PathLike) -> list[str]:
    """Restores config.json and metrics.csv from the newest intact state, and deletes damaged states and scratch files.

    A damaged state is deleted only where another one is intact.

    Args:
        path: the run directory.

    Returns:
        a line for each repair.

    Raises:
        RunInUseError: where a process trains in the directory.
        FileNotFoundError: where the directory does not exist or has no file of a run.
    """
    path, repairs = pathlib.Path(path), []
    check(path)
    with lock(path):
        run = Run(path, {})
        for checkpoints in _all_checkpoints(run):
            intact, problems = checkpoints.intact()
            if intact and problems:
                checkpoints.remove(set(checkpoints.states) - set(intact))
                repairs += [f"{problem}: deleted" for problem in problems]
            if checkpoints.folder == run.checkpoints and intact:
                record = intact[max(intact)]
                if not all(finding.fine for finding in _config(run, record)):
                    write_json(path / "config.json", record["config"])
                    repairs.append(f"config.json: restored from {max(intact)}")
                if not all(finding.fine for finding in _metrics(run, record)):
                    History(run.metrics_file, record["rows"]).write()
                    repairs.append(f"{run.metrics_file.name}: restored from {max(intact)}")
            checkpoints.clean()
        for scratch in sorted(path.rglob(f"{files.SCRATCH}*")):
            files.remove(scratch)
            repairs.append(f"{scratch.relative_to(path)}: deleted")
    return repairs


def _config(run: Run, record: Mapping[str, Any] | None) -> Iterator[Finding]:
    remedy = "restore it from a backup: no state has a copy"
    if record is not None:
        remedy = "`keras-gen check RUN --repair` restores it from the newest state"
    try:
        config = read_json(run.path / "config.json")
    except FileNotFoundError:
        yield Finding("config.json", False, "is missing", remedy)
        return
    except ValueError as error:
        yield Finding("config.json", False, str(error), remedy)
        return
    if problem := format_problem(run.path / "config.json", config.get("format")):
        text, _, advice = problem.partition(". ")
        yield Finding("config.json", False, text, remedy if record is not None else advice)
    elif missing := {"system", "image_shape", "settings", "data", "training"} - set(config):
        yield Finding("config.json", False, f"lacks {', '.join(sorted(missing))}", remedy)
    elif record is not None and (different := changes(config, record["config"])):
        yield Finding("config.json", False, f"was edited after the training began: {'; '.join(different)}", remedy)
    else:
        yield Finding("config.json", True, f"{config['system']} on {config['data'].get('source')}")


def _all_checkpoints(run: Run) -> list[Checkpoints]:
    """Returns the folders of states: of the run, of further workers, and of the pretraining of all of them."""
    homes = [run.path, *sorted(run.checkpoints.glob("worker_*"))]
    folders = [home / "checkpoints" for home in homes]
    pretraining = [folder for home in homes for folder in home.glob("pretraining/*")]
    return [Checkpoints(folder) for folder in (*folders, *pretraining)]


def _states(run: Run) -> Iterator[Finding]:
    begun = run.model_file.exists() or run.metrics_file.exists()
    for checkpoints in _all_checkpoints(run):
        part, states = str(checkpoints.folder.relative_to(run.path)), checkpoints.states
        if not states and checkpoints.folder == run.checkpoints and begun:
            remedy = "restore it from a backup, or start a new run from model.keras: --initial-weights RUN"
            yield Finding(part, False, "has no state to continue from", remedy)
        for state in states:
            yield _state(run, checkpoints, state)


def _state(run: Run, checkpoints: Checkpoints, state: State) -> Finding:
    part = str(checkpoints.weights_file(state).relative_to(run.path))
    try:
        checkpoints.record(state)
    except DamagedStateError as error:
        others = [each for each in checkpoints.states if each != state]
        remedy = "`--resume` continues from the other state if it is intact" if others else "restore it from a backup"
        return Finding(part, False, str(error), remedy)
    return Finding(part, True, f"the state after {state}")


def _metrics(run: Run, record: Mapping[str, Any] | None) -> Iterator[Finding]:
    name = run.metrics_file.name
    if record is None:
        if run.metrics_file.exists():
            yield _metrics_without_state(run)
        return
    if not record["rows"] and not run.metrics_file.exists():
        return
    remedy = "`--resume` restores it from the newest state, and so does `keras-gen check RUN --repair`"
    text = History(None, record["rows"]).text()
    if not run.metrics_file.is_file():
        yield Finding(name, False, "is missing", remedy)
    elif not run.metrics_file.read_text(errors="replace").startswith(text if record["rows"] else ""):
        yield Finding(name, False, "differs from the copy in the newest state", remedy)
    else:
        yield Finding(name, True, f"{len(record['rows'])} epochs")


def _metrics_without_state(run: Run) -> Finding:
    try:
        return Finding(run.metrics_file.name, True, f"{len(read_rows(run.metrics_file))} epochs")
    except ValueError as error:
        return Finding(run.metrics_file.name, False, str(error), "restore it from a backup")


def _models(run: Run, newest: State | None, record: Mapping[str, Any] | None) -> Iterator[Finding]:
    if not run.model_file.exists() and newest is not None and newest.epoch:
        remedy = "`--resume` saves it again, with more epochs (--epochs N) if the run is finished"
        yield Finding(run.model_file.name, False, "is missing", remedy)
    for file in [*sorted(run.path.glob("*.keras")), *sorted(run.checkpoints.glob("worker_*/*.keras"))]:
        if file.name.startswith(files.SCRATCH):
            continue
        part = str(file.relative_to(run.path))
        try:
            if file == run.model_file and record is not None:
                Run(run.path, dict(record["config"])).check_model_file()
            else:
                archives.check_keras(file)
        except ValueError as error:
            yield Finding(part, False, str(error), "delete it: `--resume` writes it again")
        else:
            yield Finding(part, True, f"{file.stat().st_size / 1e6:,.1f} MB, checksums match")


def _evaluation(run: Run) -> Iterator[Finding]:
    if run.evaluation_file.exists():
        try:
            read_json(run.evaluation_file)
        except ValueError as error:
            yield Finding(run.evaluation_file.name, False, str(error), "`keras-gen evaluate RUN` writes it again")
        else:
            yield Finding(run.evaluation_file.name, True, "is readable")


def _export(run: Run) -> Iterator[Finding]:
    folder, remedy = run.export_folder, "`keras-gen export RUN` writes the folder again"
    if not folder.is_dir():
        return
    try:
        description, parity = read_description(folder, need_model=False), read_parity(folder)
    except (ValueError, OSError) as error:
        yield Finding(folder.name, False, str(error), remedy)
        return
    for file in description["files"].values():
        part = f"{folder.name}/{file['file']}"
        try:
            check_file(folder / file["file"], file)
        except (ValueError, OSError) as error:
            yield Finding(part, False, str(error), remedy)
        else:
            yield Finding(part, True, f"{file['bytes'] / 1e3:,.0f} kB, digest agrees")
    if description["runtime"]:
        yield _digests(folder, f"{folder.name}/runtime", description["runtime"], remedy)
    if (name := description["saved_model"]) and "saved_model" in parity:
        yield _digests(folder / name, f"{folder.name}/{name}", parity["saved_model"]["sha256"], remedy)


def _digests(folder: pathlib.Path, part: str, digests: Mapping[str, str], remedy: str) -> Finding:
    """Compares files of an export, relative to a folder, with their SHA-256."""
    wrong = []
    for name, digest in digests.items():
        if not (folder / name).is_file():
            wrong.append(f"{name} is missing")
        elif digest_of_file(folder / name) != digest:
            wrong.append(f"{name} was changed after the export")
    if wrong:
        return Finding(part, False, "; ".join(wrong), remedy)
    return Finding(part, True, f"{len(digests)} files, digests agree")


def _scratch_files(run: Run) -> Iterator[Finding]:
    if holder := holder_of(run.path):
        yield Finding(".", True, f"in use by {holder}: files that it is writing may be reported as missing")
        return
    for scratch in sorted(run.path.rglob(f"{files.SCRATCH}*")):
        part = str(scratch.relative_to(run.path))
        yield Finding(part, True, "scratch file of a killed process; the next training deletes it")
