"""Whether a run directory is whole, and what can be done where it is not."""

import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

from keras_gen.export.parity import read_parity
from keras_gen.export.runtime import check_file, read_description
from keras_gen.runs import FORMAT, Run, changed, read_json, write_json
from keras_gen.runs.checkpoints import Checkpoints, DamagedStateError, State
from keras_gen.runs.history import History, read_rows
from keras_gen.runs.lock import holder_of, lock

from . import archives, files


class Finding(NamedTuple):
    """One part of a run directory.

    Attributes:
        part: its file or folder, relative to the run directory.
        fine: whether it is as it was written.
        text: what it is, or what is wrong with it.
        remedy: what can be done about it; empty where it is fine.
    """

    part: str
    fine: bool
    text: str
    remedy: str = ""


def check(path: str | os.PathLike) -> list[Finding]:
    """Compare everything in a run directory with its digests; nothing is changed, and no TensorFlow is needed.

    Args:
        path: the run directory.

    Returns:
        A finding for each part that is there or should be, in the order config.json, states, metrics, models,
        evaluation, export, what is left of killed processes.

    Raises:
        FileNotFoundError: where there is no directory, or nothing in it is of a run.
    """
    path = pathlib.Path(path)
    run = Run(path, {})
    if not path.is_dir() or not any(
        each.exists() for each in (path / "config.json", run.checkpoints, run.model_file, run.metrics_file)
    ):
        raise FileNotFoundError(f"{path} is no run directory: expected one that `keras-gen train` has made")
    intact, _ = Checkpoints(run.checkpoints).intact()
    newest = max(intact, default=None)
    record = intact.get(newest)
    found = [*_config(run, record), *_states(run), *_metrics(run, record), *_models(run, newest, record)]
    return [*found, *_evaluation(run), *_export(run), *_left_over(run)]


def repair(path: str | os.PathLike) -> list[str]:
    """Write again what the newest intact state has a copy of, and delete damaged states and what is left over.

    config.json and metrics.csv are written from the state. A damaged state is deleted only where another is intact.

    Args:
        path: the run directory.

    Returns:
        A line for each thing that was done.

    Raises:
        RunInUseError: where a process trains in the directory.
        FileNotFoundError: as `check`.
    """
    path, done = pathlib.Path(path), []
    check(path)
    with lock(path):
        run = Run(path, {})
        for checkpoints in _all_checkpoints(run):
            intact, problems = checkpoints.intact()
            if intact and problems:
                checkpoints.remove(set(checkpoints.states) - set(intact))
                done += [f"{problem}: deleted" for problem in problems]
            if checkpoints.folder == run.checkpoints and intact:
                record = intact[max(intact)]
                if not all(finding.fine for finding in _config(run, record)):
                    write_json(path / "config.json", record["config"])
                    done.append(f"config.json: written as it was at {max(intact)}")
                if not all(finding.fine for finding in _metrics(run, record)):
                    History(run.metrics_file, record["rows"]).write()
                    done.append(f"{run.metrics_file.name}: written as it was at {max(intact)}")
            checkpoints.clean()
        for scratch in sorted(path.rglob(f"{files.SCRATCH}*")):
            files.remove(scratch)
            done.append(f"{scratch.relative_to(path)}: deleted")
    return done


def _config(run: Run, record: dict | None) -> Iterator[Finding]:
    remedy = "" if record is None else "`keras-gen check RUN --repair` writes it from the newest state"
    remedy = remedy or "copy it back from a backup: no state has a copy"
    try:
        config = read_json(run.path / "config.json")
    except FileNotFoundError:
        yield Finding("config.json", False, "is missing", remedy)
        return
    except ValueError as error:
        yield Finding("config.json", False, str(error), remedy)
        return
    if config.get("format") != FORMAT:
        yield Finding("config.json", False, f"has format {config.get('format')!r}, expected {FORMAT}", remedy)
    elif missing := {"system", "image_shape", "settings", "data", "training"} - set(config):
        yield Finding("config.json", False, f"has no {', '.join(sorted(missing))}", remedy)
    elif record is not None and (different := changed(config, record["config"])):
        yield Finding("config.json", False, f"was changed after the training began: {'; '.join(different)}", remedy)
    else:
        yield Finding("config.json", True, f"{config['system']} on {config['data'].get('source')}")


def _all_checkpoints(run: Run) -> list[Checkpoints]:
    """The folders of states: of the run, of what is trained first, and of further workers."""
    homes = [run.path, *sorted(run.checkpoints.glob("worker_*"))]
    folders = [home / "checkpoints" for home in homes]
    return [Checkpoints(folder) for folder in [*folders, *(each for h in homes for each in h.glob("pretraining/*"))]]


def _states(run: Run) -> Iterator[Finding]:
    begun = run.model_file.exists() or run.metrics_file.exists()
    for checkpoints in _all_checkpoints(run):
        part, states = str(checkpoints.folder.relative_to(run.path)), checkpoints.states
        if not states and checkpoints.folder == run.checkpoints and begun:
            remedy = "copy it back from a backup, or start a new run from model.keras: --initial-weights RUN"
            yield Finding(part, False, "holds no state to continue from", remedy)
        for state in states:
            yield _state(run, checkpoints, state)


def _state(run: Run, checkpoints: Checkpoints, state: State) -> Finding:
    part = str(checkpoints.weights_file(state).relative_to(run.path))
    try:
        checkpoints.record(state)
    except DamagedStateError as error:
        others = [each for each in checkpoints.states if each != state]
        remedy = "`--resume` continues from the other state if that is intact" if others else "copy it from a backup"
        return Finding(part, False, str(error), remedy)
    return Finding(part, True, f"the state after {state}")


def _metrics(run: Run, record: dict | None) -> Iterator[Finding]:
    name = run.metrics_file.name
    if record is None:
        if run.metrics_file.exists():
            yield _metrics_alone(run)
        return
    if not record["rows"] and not run.metrics_file.exists():
        return
    remedy = "`--resume` writes it from the newest state, and so does `keras-gen check RUN --repair`"
    text = History(None, record["rows"]).text()
    if not run.metrics_file.is_file():
        yield Finding(name, False, "is missing", remedy)
    elif not run.metrics_file.read_text(errors="replace").startswith(text if record["rows"] else ""):
        yield Finding(name, False, "is not what the newest state has a copy of", remedy)
    else:
        yield Finding(name, True, f"{len(record['rows'])} epochs")


def _metrics_alone(run: Run) -> Finding:
    try:
        return Finding(run.metrics_file.name, True, f"{len(read_rows(run.metrics_file))} epochs")
    except ValueError as error:
        return Finding(run.metrics_file.name, False, str(error), "copy it back from a backup")


def _models(run: Run, newest: State | None, record: dict | None) -> Iterator[Finding]:
    if not run.model_file.exists() and newest is not None and newest.epoch:
        remedy = "`--resume` saves it again, with more epochs (--epochs N) if the run is finished"
        yield Finding(run.model_file.name, False, "is missing", remedy)
    for file in [*sorted(run.path.glob("*.keras")), *sorted(run.checkpoints.glob("worker_*/*.keras"))]:
        if file.name.startswith(files.SCRATCH):
            continue
        part = str(file.relative_to(run.path))
        try:
            if file == run.model_file and record is not None:
                Run(run.path, record["config"]).check_model_file()
            else:
                archives.check_keras(file)
        except ValueError as error:
            yield Finding(part, False, str(error), "delete it: `--resume` makes it again")
        else:
            yield Finding(part, True, f"{file.stat().st_size / 1e6:,.1f} MB, checksums agree")


def _evaluation(run: Run) -> Iterator[Finding]:
    if run.evaluation_file.exists():
        try:
            read_json(run.evaluation_file)
        except ValueError as error:
            yield Finding(run.evaluation_file.name, False, str(error), "`keras-gen evaluate RUN` writes it again")
        else:
            yield Finding(run.evaluation_file.name, True, "can be read")


def _export(run: Run) -> Iterator[Finding]:
    folder, remedy = run.export_folder, "`keras-gen export RUN` writes the folder again"
    if not folder.is_dir():
        return
    try:
        listed = read_description(folder, need_model=False)["files"]
        read_parity(folder)
    except (ValueError, OSError) as error:
        yield Finding(folder.name, False, str(error), remedy)
        return
    for file in listed.values():
        part = f"{folder.name}/{file['file']}"
        try:
            check_file(folder / file["file"], file)
        except (ValueError, OSError) as error:
            yield Finding(part, False, str(error), remedy)
        else:
            yield Finding(part, True, f"{file['bytes'] / 1e3:,.0f} kB, digest agrees")


def _left_over(run: Run) -> Iterator[Finding]:
    if holder := holder_of(run.path):
        yield Finding(".", True, f"in use by {holder}: what it is writing may be reported as missing")
        return
    for scratch in sorted(run.path.rglob(f"{files.SCRATCH}*")):
        part = str(scratch.relative_to(run.path))
        yield Finding(part, True, "left by a process that was killed while it wrote; the next training deletes it")
