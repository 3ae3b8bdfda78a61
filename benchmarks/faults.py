"""The fault table: faults of runs, exports and data, how often they were injected, and their results.

    python -m benchmarks.faults                       every category; up to 25 minutes on two cores
    python -m benchmarks.faults kills signals         some of them, see CATEGORIES
    python -m benchmarks.faults --quick               two or three faults of each
    python -m benchmarks.faults --table               print the table of the last results, in Markdown

Runs take a few seconds each (`benchmarks/toy_runs.py`), are started by the command line, and are compared with
uninterrupted runs. The command lines are forked from a process that has imported TensorFlow
(`benchmarks/commands.py`): each child runs the same code as `python -m keras_gen.cli` with the same arguments.

The seed determines the faults; the instruction at which a kill arrives also depends on the machine. Full disks need
Linux: they are small tmpfs file systems in a private mount namespace. A result has one of five verdicts:

- survived: the run was continued and equals the uninterrupted one, or an error named the damaged file;
- lost: the run cannot be continued, or finished epochs were trained again;
- silently wrong: the run was continued and differs, or damage was loaded without a message;
- unbounded: a process did not end in time, or used too much memory;
- unclear: nothing was lost, but the message or the exit code is not the documented one.

Writes benchmarks/results/faults.json.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks import record

from .commands import Command, call
from .toy_runs import BOUND, RUN_SPECS, Hang, Lost, ToyRun, Unclear, Wrong, copied, h5_arrays, kill, scratch_files
from .toy_runs import write_data as write_toy_data

SURVIVED, LOST, WRONG, HANG, UNCLEAR = "survived", "lost", "silently wrong", "unbounded", "unclear"
VERDICTS = (SURVIVED, LOST, WRONG, HANG, UNCLEAR)
_VERDICT_OF: dict[type[Exception], str] = {Lost: LOST, Wrong: WRONG, Hang: HANG, Unclear: UNCLEAR}
PRIVATE_MOUNTS = "KERAS_GEN_FAULTS_PRIVATE_MOUNTS"
SECOND_SIGNAL_TIMEOUT = 20.0  # seconds in which a process ends after a second signal
SIGNAL_TIMEOUT = 60.0  # seconds in which it ends after the first one: it finishes the step and saves
OPEN_TIMEOUT = 10.0  # seconds in which a hostile file is rejected
MEMORY = 2**30  # bytes that its rejection may use
EXAMPLES = 3


@dataclasses.dataclass
class Fault:
    """One fault and its result.

    Attributes:
        category: One of `CATEGORIES`.
        what: Row of the table.
        verdict: One of `VERDICTS`.
        detail: Description of the result.
    """

    category: str
    what: str
    verdict: str
    detail: str = ""


@dataclasses.dataclass
class Bench:
    """Settings and reference runs that all categories share.

    Attributes:
        folder: Temporary folder.
        seed: Seed of the choice of faults.
        quick: Whether there are only two or three faults of each kind.
        jobs: Number of faults at the same time.
        report: Called with each fault as soon as its verdict is known.
    """

    folder: pathlib.Path
    seed: int
    quick: bool
    jobs: int
    report: Callable[[Fault], None]

    def __post_init__(self):
        self._lock, self._references, self._locks = threading.Lock(), {}, collections.defaultdict(threading.Lock)
        write_toy_data(self.data)

    @property
    def data(self) -> pathlib.Path:
        return self.folder / "data"

    def run(self, system: str, name: str, workers: int = 1) -> ToyRun:
        """Returns a run directory that does not exist yet."""
        return ToyRun(RUN_SPECS[system], self.data, self.folder / name, workers)

    def reference(self, system: str, workers: int = 1, epochs: int | None = None) -> tuple[ToyRun, float]:
        """Returns an uninterrupted run, trained in the first call, and the seconds of its training."""
        key = (system, workers, epochs)
        with self._lock:
            lock = self._locks[key]
        with lock:
            if key not in self._references:
                run = self.run(system, f"reference_{system}_{workers}_{epochs or 'all'}", workers)
                self._references[key] = run, run.train(epochs=epochs)
            return self._references[key]

    def each(self, category: str, units: Sequence[tuple[str, int, Callable[[random.Random], object]]]) -> None:
        """Injects units of faults, `jobs` at a time.

        Args:
            category: Category of the faults.
            units: (row of the table, number of faults, function of a random generator). An error of the function is
                the verdict of all faults of the unit; the function may return a detail, or a list of faults.
        """

        def inject_unit(number: int) -> None:
            what, count, function = units[number]
            try:
                outcome = function(random.Random(f"{self.seed} {category} {number}"))
                survived = [Fault(category, what, SURVIVED, str(outcome or ""))] * count
                faults = outcome if isinstance(outcome, list) else survived
            except (Lost, Wrong, Hang, Unclear) as error:
                faults = [Fault(category, what, _VERDICT_OF[type(error)], str(error))] * count
            except Exception as error:  # an error of the benchmark itself must not count as survival
                traceback.print_exc()
                faults = [Fault(category, what, LOST, f"the benchmark failed: {error!r}")] * count
            for fault in faults:
                self.report(fault)

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(inject_unit, range(len(units))))


# kills

KILLS = {  # (system, workers) -> kills of each run; the longest first, so that no process waits at the end
    **{("text2image", 2): [2, 2, 2], ("progan", 2): [2, 2], ("dcgan", 2): [2, 2], ("vae", 2): [2, 2, 2, 2]},
    **{("text2image", 1): [4, 4, 4, 4], ("progan", 1): [4, 4], ("dcgan", 1): [4, 4], ("vae", 1): [4, 4, 4]},
}


def kills(bench: Bench) -> None:
    """Kills runs by SIGKILL at random moments, half of them while a file is being written; each run several times."""
    units = []
    for (system, workers), chains in ({("vae", 1): [2]} if bench.quick else KILLS).items():
        what = f"kill -9 of {system}, " + ("one process" if workers == 1 else "two workers")
        for number, count in enumerate(chains):
            run = bench.run(system, f"kills_{system}_{workers}_{number}", workers)
            units.append((what, count, functools.partial(_chain_of_kills, bench, run, what, count)))
    bench.each("kills", units)


def _chain_of_kills(bench: Bench, run: ToyRun, what: str, count: int, rng: random.Random) -> list[Fault]:
    """Trains a run that is killed `count` times; if it ends before, another run continues the count."""
    reference, duration = bench.reference(run.spec.system, run.workers)
    faults: list[Fault] = []
    # kills of this run: (moment of the kill, problem of the other worker)
    hits: list[tuple[str, Hang | Unclear | None]] = []
    attempts = 0

    def record_faults(error: Exception | None, detail: str) -> None:
        for moment, survivor_error in hits or [("", None)]:
            problem = error or survivor_error
            verdict = _VERDICT_OF[type(problem)] if problem else SURVIVED
            faults.append(Fault("kills", what + moment, verdict, str(problem or detail)))
        hits.clear()
        shutil.rmtree(run.out, ignore_errors=True)

    while len(faults) + len(hits) < count:
        attempts += 1
        writing = rng.random() < 0.5
        # text2image has two stages of pretraining, in which the first kill happens
        latest = 0.45 if run.spec.system == "text2image" and not hits else 0.7
        moment = rng.uniform(0.05, latest) * duration if attempts < 20 * count else 0.0
        victims = [0] if run.workers == 1 else rng.choice([[0], [1], [0, 1]])
        try:
            if hit := run.attempt(functools.partial(_kill, run, moment, writing, rng.randint(1, 4), victims)):
                hits.append(hit)
                continue
            run.compare(reference)
        except (Lost, Wrong, Hang) as error:
            record_faults(error, "")
        else:
            if hits:
                record_faults(None, "resumed to the end, equal")
            shutil.rmtree(run.out, ignore_errors=True)
    if hits:
        try:
            largest = run.finish(reference)
            record_faults(None, f"resumed to the end, equal; largest difference {largest:.2g}")
        except (Lost, Wrong, Hang) as error:
            record_faults(error, "")
    return faults


def _kill(
    run: ToyRun, moment: float, writing: bool, number: int, victims: list[int], commands: list[Command]
) -> tuple[str, Hang | Unclear | None] | None:
    """Kills processes at a moment, or when the `number`-th file after it is being written.

    Returns:
        (moment of the kill, problem of the other worker), or None if the processes had ended.
    """
    deadline = time.monotonic() + BOUND
    while time.monotonic() < min(commands[0].started + moment, deadline):
        if not any(command.running for command in commands):
            return None
        time.sleep(0.005)
    written: set[str] = set()
    while writing and len(written) < number:
        if not any(command.running for command in commands):
            return None
        if time.monotonic() > deadline:
            raise Hang(f"it did not end within {BOUND:.0f} s")
        written.update(scratch_files(run.out))
        time.sleep(0.0005)
    if not any(commands[victim].running for victim in victims):
        return None
    where = ", during pretraining" if run.pretraining else ""
    where += ", while a file is written" if writing else ", at a random moment"
    return where, kill(commands, victims)


# damaged checkpoints


def checkpoints(bench: Bench) -> None:
    """Damages the states of a finished run and resumes it: the damage must be detected."""
    base, _ = bench.reference("vae")
    other = bench.run("vae", "checkpoints_other_run")
    other_arguments = [*other.arguments("fresh"), "--seed", 7]
    command = Command(other_arguments, other.logs[0])
    if not command.wait(BOUND) or command.code:
        raise RuntimeError(f"the other run could not be trained: {command.output}")
    names = [name for name, count in DAMAGES.items() for _ in range(count)]
    if bench.quick:
        names = ["flipped bit in the newest state", "newest state truncated", "digest missing"]
    chunk = -(-len(names) // bench.jobs)
    units = [
        (
            "damaged checkpoints",
            len(names[start : start + chunk]),
            functools.partial(_damaged_chunk, bench, base, other, start, names[start : start + chunk]),
        )
        for start in range(0, len(names), chunk)
    ]
    bench.each("checkpoints", units)
    if not bench.quick:
        kinds = (
            "flipped bit in the newest state",
            "newest state truncated",
            "newest state of another run",
            "metrics.csv missing",
        )
        units = [
            (f"{kind}, then trained to the end", 1, functools.partial(_damaged_and_trained, bench, base, other, kind))
            for kind in kinds
        ]
        units += [
            (f"states of one of two workers {what}", 1, functools.partial(_workers_out_of_step, bench, what))
            for what in ("missing", "older")
        ]
        bench.each("checkpoints", units)


def _damaged_chunk(
    bench: Bench, base: ToyRun, other: ToyRun, start: int, names: list[str], rng: random.Random
) -> list[Fault]:
    """Tries many damages in one process; a crash or a hang affects only one fault."""
    results = bench.folder / f"checkpoints_{start}.jsonl"
    faults: list[Fault] = []
    while len(faults) < len(names):
        done, limit = len(faults), 60 + 20 * (len(names) - len(faults))
        log = results.with_suffix(".log")
        arguments = (base.out, other.out, bench.folder, bench.seed, start + done, names[done:], results)
        outcome = call(try_damaged_states, *arguments, seconds=limit, log=log)
        lines = results.read_text().splitlines() if results.exists() else []
        faults = [Fault(**json.loads(line)) for line in lines]
        if outcome.error:
            raise RuntimeError(outcome.trace)
        if len(faults) == done:
            verdict = LOST if outcome.ended else HANG
            detail = f"the process ended with code {outcome.code}: {log.read_text()[-300:]}"
            with results.open("a") as file:
                file.write(json.dumps(dataclasses.asdict(Fault("checkpoints", names[done], verdict, detail))) + "\n")
            faults.append(Fault("checkpoints", names[done], verdict, detail))
    return faults


def try_damaged_states(
    base: pathlib.Path, other: pathlib.Path, folder: pathlib.Path, seed: int, first: int, names: list[str],
    results: pathlib.Path,
) -> None:  # fmt: skip
    """Damages copies of a run and resumes them, in a separate process; writes a line of JSON for each."""
    states = {path.name: h5_arrays(path) for path in sorted((base / "checkpoints").glob("*.h5"))}
    for number, name in enumerate(names, first):
        copy = folder / f"damaged_{number}"
        shutil.copytree(base, copy)
        verdict, detail = SURVIVED, ""
        try:
            touched = damage_states(name, copy, other, random.Random(f"{seed} damage {number}"))
            detail = _resume_damaged(copy, base, name, touched, states)
        except (Lost, Wrong, Unclear) as error:
            verdict, detail = _VERDICT_OF[type(error)], str(error)
        with results.open("a") as file:
            file.write(json.dumps(dataclasses.asdict(Fault("checkpoints", name, verdict, detail))) + "\n")
        shutil.rmtree(copy, ignore_errors=True)


def _resume_damaged(run: pathlib.Path, base: pathlib.Path, name: str, touched: list[str], states: dict) -> str:
    """Resumes a damaged copy of `base`, or opens its model, and compares the restored state with `states`."""
    import keras

    import keras_gen

    class Restored(Exception):
        pass

    class Stop(keras.callbacks.Callback):
        """Saves the restored state, and ends the training before anything is traced."""

        def on_train_begin(self, logs=None):
            self.model.save_weights(run / "restored.weights.h5")
            raise Restored

    if name in MODEL_DAMAGES:
        return _load_damaged(run, base)
    output = io.StringIO()
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            keras_gen.train(None, None, run, resume=True, epochs=9, verbose=2, callbacks=[Stop()])
            raise Lost("it neither trained nor raised an error")
        except Restored:
            rejection = None
        except (ValueError, OSError) as error:
            rejection = error
        except Lost:
            raise
        except Exception as error:
            raise Unclear(f"{type(error).__name__}: {error}") from error
    text = " ".join([output.getvalue(), *(str(each.message) for each in caught), str(rejection or "")])
    named = [file for file in touched if _is_named(file, text)]
    if rejection is not None and name in HARMLESS:
        raise Lost(f"refused although the states are complete: {rejection}")
    if rejection is not None:
        if not named:
            raise Unclear(f"refused, but none of {', '.join(touched)} is named: {rejection}")
        return f"refused: {str(rejection)}"
    restored = h5_arrays(run / "restored.weights.h5")
    equal = [
        state for state, arrays in states.items()
        if arrays.keys() == restored.keys() and all(np.array_equal(arrays[key], restored[key]) for key in arrays)
    ]  # fmt: skip
    newest = max(states)
    if not equal:
        raise Wrong(f"after damage to {', '.join(touched)} it trains from a state that is not of this run")
    if named:
        return f"reported, restored {equal[0]}"
    if equal == [newest] and name in HARMLESS:
        return f"restored {newest}"
    if equal != [newest]:
        raise Unclear(f"restored {equal[0]} without a message about {', '.join(touched)}")
    raise Wrong(f"restored {newest} without a message about {', '.join(touched)}")


def _is_named(file: str, text: str) -> bool:
    """Returns whether a message names a file, or a state of the same epoch."""
    name = pathlib.Path(file).name
    return name in text or (name.startswith("epoch_") and name.split(".")[0] in text)


def _load_damaged(run: pathlib.Path, base: pathlib.Path) -> str:
    """Opens a damaged model: an error must name it, unless its weights are the same (a bit of a date)."""
    import keras_gen

    try:
        for name, folder in (("loaded", run), ("expected", base)):
            keras_gen.load(folder).save_weights(run / f"{name}.weights.h5")
    except (ValueError, OSError) as error:
        if "model.keras" not in str(error):
            raise Unclear(f"refused, but model.keras is not named: {error}") from error
        return f"refused: {str(error)}"
    except Exception as error:
        raise Unclear(f"{type(error).__name__}: {error}") from error
    loaded, expected = (h5_arrays(run / f"{name}.weights.h5") for name in ("loaded", "expected"))
    if loaded.keys() != expected.keys() or any((loaded[key] != expected[key]).any() for key in expected):
        raise Wrong("model.keras was loaded with other weights")
    return "model.keras was loaded, with the same weights"


def _damaged_and_trained(bench: Bench, base: ToyRun, other: ToyRun, kind: str, rng: random.Random) -> str:
    with copied(base, bench.folder / f"trained_{kind.replace(' ', '_')}") as run:
        damage_states(kind, run.out, other.out, rng)
        run.attempt()
        run.compare(base)
    return "continued from an older state, trained to the end, equal"


def _workers_out_of_step(bench: Bench, what: str, rng: random.Random) -> str:
    """Removes the newest state of one worker: both must continue from the same state, or both must raise an error."""
    reference, _ = bench.reference("vae", workers=2)
    half, _ = bench.reference("vae", workers=2, epochs=2)
    with copied(half, bench.folder / f"workers_{what}") as run:
        states = sorted((run.out / "checkpoints" / "worker_1").rglob("epoch_*"))
        if not states:
            raise Unclear("the second worker has no states")
        for path in states if what == "missing" else [path for path in states if "epoch_0002" in path.name]:
            path.unlink()
        commands = run.start("resume")
        if not all([command.wait(BOUND) for command in commands]):
            raise Hang(f"it did not end within {BOUND:.0f} s")
        if any(command.code for command in commands):
            output = "; ".join(" ".join(command.output.split())[-250:] for command in commands if command.code)
            if "error:" not in "".join(command.output for command in commands):
                raise Unclear(f"exit codes {[command.code for command in commands]}: {output}")
            return f"refused: {output}"
        run.compare(reference)
    return "both continued from the same state, equal"


# name -> number of times. The states of a run are `checkpoints/epoch_*.h5`; files of the same stem have the digests
DAMAGES = {
    "flipped bit in the newest state": 28,
    "flipped bits in both states": 8,
    "newest state truncated": 10,
    "block of zeros in the newest state": 8,
    "newest state empty": 3,
    "newest state missing": 3,
    "states of two epochs exchanged": 3,
    "states of two epochs exchanged, with their digests": 3,
    "newest state of another run": 3,
    "newest state of another run, with its digest": 3,
    "digest missing": 3,
    "flipped bit in the digest": 6,
    "digest empty": 3,
    "all states missing": 2,
    "metrics.csv missing": 2,
    "metrics.csv truncated": 2,
    "flipped bit in model.keras": 6,
    "model.keras truncated": 2,
    "model.keras of another run": 2,
}
MODEL_DAMAGES = {name for name in DAMAGES if "model.keras" in name}
HARMLESS = {"metrics.csv missing", "metrics.csv truncated"}  # the states can restore these


def damage_states(name: str, run: pathlib.Path, other: pathlib.Path, rng: random.Random) -> list[str]:
    """Damages a run directory in place, and returns the damaged files relative to it."""
    folder = run / "checkpoints"
    states = sorted(folder.glob("epoch_*.h5"))
    newest = states[-1]
    digests = [path for path in sorted(folder.glob("epoch_*")) if path.is_file() and path.suffix != ".h5"]
    of_newest = [path for path in digests if path.name.split(".")[0] == newest.name.split(".")[0]]
    if "digest" in name and not of_newest:
        raise Unclear("there is no digest next to the states")
    touched = [newest]
    if name == "flipped bit in the newest state":
        flip_bit(newest, rng)
    elif name == "flipped bits in both states":
        touched = states
        for state in states:
            flip_bit(state, rng)
    elif name == "newest state truncated":
        os.truncate(newest, rng.randrange(1, newest.stat().st_size))
    elif name == "block of zeros in the newest state":
        zero_block(newest, rng)
    elif name == "newest state empty":
        os.truncate(newest, 0)
    elif name == "newest state missing":
        newest.unlink()
    elif name.startswith("states of two epochs exchanged"):
        touched = states
        exchange(states[0], states[1])
        if "digests" in name:
            for path in of_newest:
                exchange(
                    path, path.with_name(path.name.replace(newest.name.split(".")[0], states[0].name.split(".")[0]))
                )
    elif name.startswith("newest state of another run"):
        shutil.copy(other / "checkpoints" / newest.name, newest)
        for path in of_newest if "digest" in name else ():
            shutil.copy(other / "checkpoints" / path.name, path)
            touched.append(path)
            touched.append(folder)  # the files agree with each other, but not with the run
    elif name == "digest missing":
        touched += of_newest
        for path in of_newest:
            path.unlink()
    elif name == "flipped bit in the digest":
        touched += of_newest
        flip_bit(rng.choice(of_newest), rng)
    elif name == "digest empty":
        touched += of_newest
        for path in of_newest:
            os.truncate(path, 0)
    elif name == "all states missing":
        shutil.rmtree(folder)
        touched = [folder]
    elif name == "metrics.csv missing":
        touched = [run / "metrics.csv"]
        touched[0].unlink()
    elif name == "metrics.csv truncated":
        touched = [run / "metrics.csv"]
        os.truncate(touched[0], rng.randrange(1, touched[0].stat().st_size))
    else:
        touched = [run / "model.keras"]
        if name == "flipped bit in model.keras":
            flip_bit(touched[0], rng)
        elif name == "model.keras truncated":
            os.truncate(touched[0], rng.randrange(1, touched[0].stat().st_size))
        elif name == "model.keras of another run":
            shutil.copy(other / "model.keras", touched[0])
        else:
            raise ValueError(f"Expected one of {', '.join(DAMAGES)}; received {name!r}")
    return [path.relative_to(run).as_posix() for path in touched]


def flip_bit(file: pathlib.Path, rng: random.Random) -> None:
    """Flips one bit of a file."""
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def zero_block(file: pathlib.Path, rng: random.Random) -> None:
    """Replaces a block of 512 bytes that are not all 0 by zeros, like a lost sector."""
    content = bytearray(file.read_bytes())
    starts = [start for start in range(0, len(content), 512) if any(content[start : start + 512])]
    start = rng.choice(starts)
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    file.write_bytes(content)


def exchange(first: pathlib.Path, second: pathlib.Path) -> None:
    """Swaps the contents of two files."""
    ours, theirs = first.read_bytes(), second.read_bytes()
    first.write_bytes(theirs)
    second.write_bytes(ours)


# concurrent starts

STARTS = {  # start of each process -> number of times
    ("resume", "resume"): 8,
    ("resume", "resume", "resume"): 6,
    ("fresh", "fresh"): 5,
    ("fresh", "fresh", "fresh"): 3,
    ("overwrite", "overwrite"): 4,
    ("resume", "overwrite"): 4,
}


def starts(bench: Bench) -> None:
    """Starts two or three processes in one run directory: one trains, the others name it in an error."""
    plan = {("resume", "resume"): 1, ("fresh", "fresh"): 1} if bench.quick else STARTS
    bench.each(
        "starts",
        [
            (
                f"{len(hows)} concurrent starts: {' and '.join(hows)}",
                1,
                functools.partial(_start_together, bench, hows, f"starts_{'_'.join(hows)}_{number}"),
            )
            for hows, count in plan.items()
            for number in range(count)
        ],
    )


def _start_together(bench: Bench, hows: tuple[str, ...], name: str, rng: random.Random) -> str:
    reference, _ = bench.reference("vae")
    run = bench.run("vae", name)
    if hows[0] != "fresh":
        half, _ = bench.reference("vae", epochs=2)
        shutil.copytree(half.out, run.out)
    at_once = rng.random() < 2 / 3
    begin = time.monotonic() + 0.5
    commands = []
    for number, how in enumerate(hows):
        log = run.out.with_name(f"{run.out.name}.{number}.log")
        delay = 0.0 if at_once else rng.uniform(0, 1)
        commands.append(Command(run.arguments(how), log, start_at=begin + delay))
    ended = [command.wait(BOUND) for command in commands]
    if not all(ended):
        raise Hang(f"{ended.count(False)} of {len(commands)} did not end within {BOUND:.0f} s")
    winners = [command for command in commands if command.code == 0]
    others = [command for command in commands if command.code != 0]
    output = "; ".join(" ".join(command.output.split())[-200:] for command in others)
    if not winners:
        raise Lost(f"none trained: {output}")
    if len(winners) > 1:
        try:
            run.compare(reference)
        except Exception as error:
            raise Wrong(f"{len(winners)} of {len(commands)} trained, and the run is damaged: {error}") from error
        raise Wrong(f"{len(winners)} of {len(commands)} trained at the same time")
    run.compare(reference)
    trainer = str(winners[0].process.pid)
    if not all(trainer in command.output.split("error:")[-1] for command in others):
        raise Unclear(f"refused, but process {trainer} is not named: {output}")
    shutil.rmtree(run.out)
    return "one trained, the others were refused and name it"


# stops by signal

SIGNALS = [  # (system, workers, whether there is a second signal, moment); SIGTERM and SIGINT alternate
    *[("vae", 1, False, "training")] * 4,
    *[("vae", 1, True, "training")] * 4,
    *[("vae", 1, False, "start")] * 2,
    *[("dcgan", 1, False, "training")] * 2,
    *[("progan", 1, False, "training")] * 2,
    *[("text2image", 1, False, "pretraining")] * 2,
    *[("text2image", 1, False, "training")] * 2,
    *[("vae", 2, False, "training")] * 2,
    *[("text2image", 2, False, "pretraining")] * 2,
]


def signals(bench: Bench) -> None:
    """Sends SIGTERM or SIGINT at random moments, once or twice: the message says how to continue, and that works."""
    units = []
    for number, (system, workers, twice, moment) in enumerate(SIGNALS[:1] if bench.quick else SIGNALS):
        kind = (signal.SIGTERM, signal.SIGINT)[number % 2]
        what = f"{kind.name}{' twice' if twice else ''}, {system}" + (", two workers" if workers > 1 else "")
        what += {"training": "", "pretraining": ", during pretraining", "start": ", before training"}[moment]
        run = bench.run(system, f"signals_{number}", workers)
        units.append((what, 1, functools.partial(_signal_once, bench, run, kind, twice, moment)))
    bench.each("signals", units)


def _signal_once(bench: Bench, run: ToyRun, kind: int, twice: bool, moment: str, rng: random.Random) -> str:
    reference, duration = bench.reference(run.spec.system, run.workers)
    earliest, latest = {"training": (0.3, 0.9), "pretraining": (0.15, 0.4), "start": (0.0, 0.05)}[moment]
    for missed in range(10):  # the reference may have been trained while the machine was slower
        wait, gap = rng.uniform(earliest, latest) * duration * 0.75**missed, rng.uniform(0.05, 0.5)
        if hit := run.attempt(functools.partial(_send, kind, twice, moment, wait, gap)):
            run.finish(reference)
            detail, problem = hit
            if problem:
                raise Unclear(problem)
            return detail
        run.compare(reference)
        shutil.rmtree(run.out)
    raise RuntimeError("the run always ended before the signal")


def _send(
    kind: int, twice: bool, moment: str, wait: float, gap: float, commands: list[Command]
) -> tuple[str, str] | None:
    """Signals all processes, once or twice, after `wait` seconds and, except at the start, after their first output.

    Returns:
        (duration, problems of exit codes and messages), or None if the processes had ended.
    """
    while time.monotonic() < commands[0].started + wait or (moment != "start" and not commands[0].output):
        if not all(command.running for command in commands):
            return None
        if time.monotonic() > commands[0].started + BOUND:
            raise Hang(f"it printed nothing for {BOUND:.0f} s")
        time.sleep(0.01)
    if not all([command.send(kind) for command in commands]):
        return None
    sent = time.monotonic()
    if twice:
        time.sleep(gap)
        for command in commands:
            command.send(kind)
    limit = SECOND_SIGNAL_TIMEOUT if twice else SIGNAL_TIMEOUT
    if not all([command.wait(limit) for command in commands]):
        raise Hang(f"it did not end within {limit:.0f} s of the {'second ' if twice else ''}signal")
    codes, problems = {command.code for command in commands}, []
    if codes == {0} and moment != "start":
        return None  # the signal came after the last step
    expected = {128 + kind} if moment == "training" and not twice else {128 + kind, -kind}
    if not codes <= expected:
        problems.append(f"exit codes {sorted(codes)} instead of {sorted(expected)}")
    if moment != "start" and not twice:
        for command in commands:
            if "--resume" not in command.output:
                problems.append("no mention of --resume: " + " ".join(command.output.split())[-200:])
    return f"ended in {time.monotonic() - sent:.1f} s, equal", "; ".join(problems)


# full disks

DISKS = [
    ("text2image", "full"),
    *[("dcgan", "full")] * 2,
    *[("vae", "full")] * 4,
    *[("vae", "read-only, resumed"), ("vae", "read-only, fresh"), ("vae", "read-only, overwrite")],
]


def disks(bench: Bench) -> None:
    """Trains on a file system that becomes full or is read-only, and continues when it has space again."""
    if not os.environ.get(PRIVATE_MOUNTS):
        print("disks: left out. They need Linux and `unshare`, which mounts small file systems for this process only")
        return
    units = []
    for number, (system, kind) in enumerate(DISKS[-4:-2] if bench.quick else DISKS):
        what = f"disk {'full while ' + system + ' trains' if kind == 'full' else kind + ' ' + system}"
        units.append((what, 1, functools.partial(_disk, bench, system, kind, number)))
    bench.each("disks", units)


def _disk(bench: Bench, system: str, kind: str, number: int, rng: random.Random) -> str:
    reference, _ = bench.reference(system)
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in reference.out.rglob("*") if path.is_file())
    size = int(rng.uniform(0.1, 0.95) * used) if kind == "full" else 4 * used + 2**20
    while (detail := _try_disk(bench, system, kind, bench.folder / f"disk_{number}_{size}", size, used)) is None:
        size //= 2
    return detail


def _try_disk(bench: Bench, system: str, kind: str, mount: pathlib.Path, size: int, used: int) -> str | None:
    """Trains on a disk of `size` bytes; returns None if it did not become full. `used` is the size of a whole run."""
    reference, _ = bench.reference(system)
    with _mounted(mount, size):
        run = ToyRun(RUN_SPECS[system], bench.data, mount / "run")
        run.logs = [mount.with_suffix(".log")]
        way = "fresh"
        if kind != "full":
            way = kind.split(", ")[1].replace("resumed", "resume")
            if way != "fresh":
                half, _ = bench.reference(system, epochs=2)
                shutil.copytree(half.out, run.out)
            _mount("-o", "remount,ro", str(mount))
        (command,) = run.start(way)
        if not command.wait(BOUND):
            raise Hang(f"it did not end within {BOUND:.0f} s")
        if kind == "full" and command.code == 0:
            return None
        message = " ".join(command.output.split())
        problem = _disk_message_problem(command.code, message, mount, full=kind == "full")
        _mount("-o", f"remount,rw,size={8 * used + 2**23}", str(mount))
        run.finish(reference)
    if problem:
        raise Unclear(problem)
    return f"{size // 1000} kB: " + message[message.rfind("error:") :]


def _disk_message_problem(code: int, message: str, mount: pathlib.Path, *, full: bool) -> str:
    """Returns the problem of a message about a disk, or ""."""
    text = message[message.rfind("error:") :] if "error:" in message else message
    if code == 0:
        return "exit code 0"
    if code not in (1, 2):
        return f"exit code {code}: {text[-200:]}"
    if str(mount) not in text:
        return f"no file is named: {text}"
    intact = ("unchanged", "intact", "no such file before", "holds the best epoch", "nothing is kept")
    if full and not any(words in text for words in intact):
        return f"the message does not state which files are intact: {text}"
    return ""


@contextlib.contextmanager
def _mounted(folder: pathlib.Path, size: int) -> Iterator[None]:
    folder.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


# damaged exports


def exports(bench: Bench) -> None:
    """Damages copies of an export: the runtime raises a ValueError, or its images equal those of the original."""
    from .damaged_exports import NUM_DAMAGES

    run, _ = bench.reference("vae")
    folder = bench.folder / "export"
    command = Command(["export", run.out, "--quantize", "none", "--out", folder], bench.folder / "export.log")
    if not command.wait(BOUND) or command.code:
        raise RuntimeError(f"the export failed: {command.output}")
    log = bench.folder / "exports.log"
    expected = call(generated, folder, seconds=60, log=log)
    if expected.value is None:
        raise RuntimeError(f"the undamaged export does not run: {expected.error} {log.read_text()}")
    count = 3 if bench.quick else NUM_DAMAGES
    stride = max(1, NUM_DAMAGES // count)
    bench.each(
        "exports",
        [
            ("damaged export", 1, functools.partial(_damaged_export, bench, folder, index, expected.value))
            for index in range(0, stride * count, stride)
        ],
    )


def generated(folder: pathlib.Path) -> np.ndarray:
    """Returns images of an export; called in a separate process."""
    from keras_gen.runtime import Runtime

    return Runtime(folder).generate(4, seed=1)


def _damaged_export(bench: Bench, folder: pathlib.Path, index: int, expected: np.ndarray, rng: random.Random) -> str:
    from .damaged_exports import damage_export

    copy = bench.folder / f"export_{index}"
    shutil.copytree(folder, copy)
    what = damage_export(copy, index)
    outcome = call(generated, copy, seconds=60, log=bench.folder / f"export_{index}.log")
    shutil.rmtree(copy, ignore_errors=True)
    if not outcome.ended:
        raise Hang(f"{what}: no answer within 60 s")
    if outcome.error:
        if {"ValueError", "FileNotFoundError"} & set(outcome.kinds):
            return f"{what}: refused: {outcome.error}"
        raise Unclear(f"{what}: {outcome.error}")
    if outcome.value is None:
        raise Lost(f"{what}: the process ended with code {outcome.code}")
    if not np.array_equal(outcome.value, expected):
        raise Wrong(f"{what}: other images")
    return f"{what}: the same images"


# hostile images and archives


def hostile(bench: Bench) -> None:
    """Opens files that try to exhaust memory, to hang or to reach other files: an error must name them quickly."""
    from .hostile_inputs import write_hostile_inputs

    paths = write_hostile_inputs(bench.folder / "hostile")
    names = list(paths)[:3] if bench.quick else list(paths)
    bench.each(
        "hostile",
        [("hostile image or archive", 1, functools.partial(_hostile, bench, name, paths[name])) for name in names],
    )


def opened(path: pathlib.Path) -> str:
    """Describes and reads a data source, or opens a model, in a separate process; returns what was skipped."""
    import keras_gen

    if path.suffix == ".keras":
        keras_gen.load(path)
        return "opened"
    with contextlib.suppress(ValueError):  # `describe` may raise it; `load` must
        keras_gen.data.describe(path)
    dataset = keras_gen.data.load(path, "train", image_shape=(8, 8, 3), batch_size=4)
    count = sum(len(batch["image"]) for batch in dataset)
    return f"skipped: {'; '.join(map(str, dataset.info.skipped))}" if dataset.info.skipped else f"{count} images read"


def _hostile(bench: Bench, name: str, path: pathlib.Path, rng: random.Random) -> str:
    from .hostile_inputs import MARKER

    log = bench.folder / f"hostile_{name.replace('/', '_')}.log"
    # twice the time, for a busy machine; the address space is limited to protect the machine
    outcome = call(opened, path, seconds=2 * OPEN_TIMEOUT, log=log, memory=8 * MEMORY)
    if (bench.folder / "hostile" / MARKER).exists():
        raise Wrong(f"{name}: its code was executed")
    if not outcome.ended or outcome.seconds > OPEN_TIMEOUT:
        raise Hang(f"{name}: it took {outcome.seconds:.0f} s")
    if outcome.memory is not None and outcome.memory > MEMORY:
        raise Hang(f"{name}: it took {outcome.memory / 2**30:.1f} GiB; {outcome.error or outcome.value}")
    if outcome.error:
        if "ValueError" not in outcome.kinds:
            raise Unclear(f"{name}: {outcome.error}")
        return f"{name}: refused: {outcome.error}"
    if outcome.value is None:
        raise Lost(f"{name}: the process ended with code {outcome.code}: {log.read_text()[-300:]}")
    if not str(outcome.value).startswith("skipped"):
        raise Wrong(f"{name}: {outcome.value}")
    return f"{name}: {str(outcome.value)}"


CATEGORIES = {
    function.__name__: function for function in (kills, checkpoints, starts, signals, disks, exports, hostile)
}


def inject(
    names: list[str], *, seed: int = 0, quick: bool = False, jobs: int = 2, report: Callable[[Fault], None] = print
) -> list[Fault]:
    """Injects categories of faults, and returns the faults with their verdicts.

    Args:
        names: Names in `CATEGORIES`.
        seed: Seed that determines the faults.
        quick: Whether to inject only two or three faults of each category.
        jobs: Number of faults at the same time, >= 1.
        report: Called with each fault as soon as its verdict is known.
    """
    faults: list[Fault] = []

    def add(fault: Fault) -> None:
        fault.detail = fault.detail.replace(str(bench.folder), ".")[:400]
        faults.append(fault)
        report(fault)

    with tempfile.TemporaryDirectory(prefix="faults_", ignore_cleanup_errors=True) as folder:
        bench = Bench(pathlib.Path(folder).resolve(), seed, quick, jobs, add)
        if call(abs, -1, seconds=BOUND, log=bench.folder / "server.log").value != 1:
            raise RuntimeError("the process that imports keras_gen does not answer; see the traceback above")
        for name in names:
            CATEGORIES[name](bench)
    return faults


def rows(faults: list[Fault]) -> list[dict]:
    """Returns a row for each kind: `what`, `times`, the number of each verdict, and details.

    Details are those of all faults that were not survived, and of `EXAMPLES` that were.
    """
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: (list(CATEGORIES).index(fault.category), fault.what)):
        kinds.setdefault((fault.category, fault.what), []).append(fault)
    return [
        {
            **{"category": category, "what": what, "times": len(those)},
            **{verdict: sum(fault.verdict == verdict for fault in those) for verdict in VERDICTS},
            "details": _details(those),
        }
        for (category, what), those in kinds.items()
    ]


def _details(faults: list[Fault]) -> list[str]:
    texts = {verdict: [] for verdict in VERDICTS}
    for fault in faults:
        text = f"{fault.verdict}: {fault.detail}"
        if fault.detail and text not in texts[fault.verdict]:
            texts[fault.verdict].append(text)
    return [*sum((texts[verdict] for verdict in VERDICTS[1:]), []), *texts[SURVIVED][:EXAMPLES]]


def table(rows: list[dict]) -> str:
    """Returns a Markdown table with a row for each kind of fault, and the sums."""
    columns = ("times", *VERDICTS)
    total = {name: sum(row[name] for row in rows) for name in columns}
    lines = ["| fault | " + " | ".join(columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    lines += [f"| {row['what']} | " + " | ".join(str(row[name]) for name in columns) + " |" for row in rows]
    return "\n".join([*lines, "| **all** | " + " | ".join(f"**{total[name]}**" for name in columns) + " |"])


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("categories", nargs="*", help=f"of {', '.join(CATEGORIES)}; default all")
    parser.add_argument("--quick", action="store_true", help="two or three faults of each; writes no results")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="faults at the same time")
    parser.add_argument("--table", action="store_true", help="print the last results and do nothing")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.categories if name not in CATEGORIES]:
        parser.error(f"expected categories of {', '.join(CATEGORIES)}; received {', '.join(unknown)}")
    file = record.RESULTS / "faults.json"
    if options.table:
        print(table(json.loads(file.read_text())["rows"]))
        return
    names = options.categories or list(CATEGORIES)
    if "disks" in names and not os.environ.get(PRIVATE_MOUNTS) and shutil.which("unshare"):
        command = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "benchmarks.faults"]
        os.environ[PRIVATE_MOUNTS] = "1"
        os.execvp(command[0], [*command, *(sys.argv[1:] if arguments is None else arguments)])

    start, lock, counts = time.monotonic(), threading.Lock(), collections.Counter()

    def report(fault: Fault) -> None:
        with lock:
            counts[fault.category] += 1
            print(
                f"{time.monotonic() - start:6.0f} s  {fault.category} {counts[fault.category]}: {fault.what}: "
                f"{fault.verdict}. {fault.detail}",
                flush=True,
            )

    found = inject(names, seed=options.seed, quick=options.quick, jobs=options.jobs, report=report)
    content = {"seed": options.seed, "seconds": round(time.monotonic() - start), "rows": rows(found)}
    if not options.quick:
        if options.categories and file.exists():  # the other categories keep their rows
            kept = [row for row in json.loads(file.read_text())["rows"] if row["category"] not in names]
            content["rows"] = sorted(kept + content["rows"], key=lambda row: list(CATEGORIES).index(row["category"]))
        record.write("faults", content)
    print(table(content["rows"]))


if __name__ == "__main__":
    main()
