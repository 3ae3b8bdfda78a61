"""Runs of a few seconds for the fault table: training, interruption, continuation and comparison."""

import contextlib
import csv
import dataclasses
import io
import json
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from .commands import Command

SCRATCH = ".tmp-"  # prefix of the names of files that are being written, see `keras_gen.files`
TOLERANCE = 1e-5  # of |a - b| / (1 + |b|) with two workers, whose sums have another order
BOUND = 240.0  # seconds after which a run counts as hanging, also on a busy machine
SURVIVOR = 30.0  # seconds in which a worker must stop after the other one was killed


class Lost(Exception):
    """A run cannot be continued, or finished epochs were trained again."""


class Wrong(Exception):
    """A run differs from the uninterrupted one without any message."""


class Hang(Exception):
    """A process did not end in time, or used too much memory."""


class Unclear(Exception):
    """Nothing was lost, but the message or the exit code is not the documented one."""


@dataclasses.dataclass(frozen=True)
class RunSpec:
    """A small system whose runs take a few seconds.

    Attributes:
        system: Key of the system.
        data: File name, see `write_data`.
        epochs: Number of epochs.
        options: Options of `keras-gen train`, without `--set`.
        settings: Settings for `--set`.
    """

    system: str
    data: str
    epochs: int
    options: tuple
    settings: dict


RUN_SPECS = {
    spec.system: spec
    for spec in (
        RunSpec("vae", "images.npz", 4, ("--batch-size", 120), {"network": "mlp", "hidden_units": 8, "latent_size": 2}),
        RunSpec("dcgan", "images.npz", 4, ("--steps", 3, "--batch-size", 16), {"base_filters": 4, "latent_size": 3}),
        # stabilization at 4x4, fade-in at 8x8 (two epochs), stabilization at 8x8
        RunSpec(
            "progan",
            "images.npz",
            4,
            ("--steps", 3, "--batch-size", 4),
            {"base_filters": 4, "latent_size": 3, "group_size": 2, "fade_images": 24, "stable_images": 24},
        ),
        RunSpec(
            "text2image",
            "captions.npz",
            3,
            ("--steps", 2, "--batch-size", 8),
            {
                "base_filters": 4,
                "latent_size": 4,
                "embedding_size": 8,
                "text_filters": 8,
                "trunk_filters": 4,
                "modulated": True,
                "embedding": {"updates": 4},
                "vae": {"updates": 4},
            },
        ),
    )
}


def write_data(folder: pathlib.Path) -> None:
    """Writes 400 gray 8x8 images of two classes, bright on the left or right, and 200 of them with captions.

    40 images of images.npz are for validation, the minimum for an export.
    """
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 400)
    image = random.integers(0, 80, (400, 8, 8, 1))
    image[label == 0, :, :4] += 150
    image[label == 1, :, 4:] += 150
    kinds, positions = ("a bar", "one block", "the field"), ("left", "right")
    caption = np.array([f"{kinds[i % 3]} on the {positions[index]}" for i, index in enumerate(label[:200])])
    image = image.astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "images.npz", image=image, label=label)
    np.savez(folder / "captions.npz", image=image[:200], caption=caption)


class ToyRun:
    """A run directory, trained by one process or by two workers, that can be interrupted and continued.

    Args:
        spec: The system and its options.
        data: Folder of `write_data`.
        out: The run directory.
        workers: 1, or 2 on loopback through TF_CONFIG.
    """

    def __init__(self, spec: RunSpec, data: pathlib.Path, out: pathlib.Path, workers: int = 1):
        self.spec, self.data, self.out, self.workers = spec, data, out, workers
        self.logs = [out.with_name(f"{out.name}.{index}.log") for index in range(workers)]

    def arguments(self, how: str) -> list:
        """Returns arguments of `keras-gen`; `how` is "fresh", "overwrite" or "resume"."""
        if how == "resume":
            return ["train", "--resume", "--out", self.out, "--epochs", self.spec.epochs]
        settings = (("--set", f"{name}={_text(value)}") for name, value in self.spec.settings.items())
        return [
            *("train", self.spec.system, "--data", self.data / self.spec.data, "--out", self.out),
            *("--epochs", self.spec.epochs, *self.spec.options),
            *(part for pair in settings for part in pair),
            *(["--overwrite"] if how == "overwrite" else []),
        ]

    def start(self, how: str, *, epochs: int | None = None, start_at: float | None = None) -> list[Command]:
        """Starts the process, or both workers."""
        arguments = self.arguments(how)
        if epochs is not None:
            arguments[arguments.index("--epochs") + 1] = epochs
        environments = [{}] if self.workers == 1 else _cluster(self.workers)
        return [
            Command(arguments, log, environment, start_at)
            for log, environment in zip(self.logs, environments, strict=True)
        ]

    def train(self, how: str = "fresh", *, epochs: int | None = None) -> float:
        """Trains without a fault, and returns the seconds."""
        start = time.monotonic()
        self._wait(commands := self.start(how, epochs=epochs))
        if any(command.code for command in commands):
            raise Lost(_last("; ".join(command.output for command in commands)))
        return time.monotonic() - start

    def attempt(self, interrupt: Callable[[list[Command]], object] | None = None) -> object:
        """Starts or continues the run, as a user who follows the messages, and interrupts it during training.

        Args:
            interrupt: A function of the processes; its result is true if it reached them before they had ended.

        Returns:
            The result of `interrupt`, or None if the run was trained to its end.

        Raises:
            Lost: If it can neither be resumed nor, before its first finished epoch, started again.
            Hang: If it does not end.
        """
        finished, final_files = self.finished, self._final_files()
        ways = ["resume"] if finished else ["fresh", "overwrite"]
        if not finished and (self.out / "config.json").exists():
            ways.insert(0, "resume")
        messages = []
        for way in ways:
            commands = self.start(way)
            try:
                interruption = interrupt and interrupt(commands)
                if not interruption:
                    self._wait(commands)
            except BaseException:  # leaves no process behind
                kill(commands, list(range(len(commands))))
                raise
            for file, written in final_files.items():
                if file.exists() and file.stat().st_mtime_ns != written:
                    raise Lost(f"{file.relative_to(self.out)} was finished and is written again by {way}")
            if interruption:
                return interruption
            if not any(command.code for command in commands):
                return None
            messages.append(f"{way}: " + _last("; ".join(command.output for command in commands if command.code)))
        raise Lost(" | ".join(messages))

    def finish(self, reference: "ToyRun") -> float:
        """Continues to the end, compares with an uninterrupted run, and returns the largest difference of any array."""
        self.attempt()
        return self.compare(reference)

    def compare(self, reference: "ToyRun") -> float:
        """Compares with an uninterrupted run: bit for bit, or within `TOLERANCE` for two workers.

        Raises:
            Wrong: If they differ.
        """
        differences, largest = compare(self.out, reference.out, TOLERANCE if self.workers > 1 else 0.0)
        if differences:
            raise Wrong(f"{len(differences)} differences, e.g. {'; '.join(differences[:3])}")
        return largest

    @property
    def finished(self) -> int:
        """The number of finished epochs in the newest state of the chief; 0 without a state."""
        matches = (re.match(r"epoch_(\d+)", file.name) for file in (self.out / "checkpoints").glob("epoch_*.h5"))
        return max((int(match[1]) for match in matches if match), default=0)

    @property
    def pretraining(self) -> bool:
        """Whether the run is still in its pretraining."""
        return self.spec.system == "text2image" and not any(self.out.rglob("vae.keras"))

    def _final_files(self) -> dict[pathlib.Path, int]:
        """Returns files that a resumed run must not write again, with their modification times.

        The last epoch is left out: after a kill between a state and its digest, the previous state is the newest one.
        """
        pictures = (self.out / "samples" / f"epoch_{epoch:04d}.png" for epoch in range(1, self.finished))
        pretrained = (file for file in self.out.rglob("*.keras") if file.name != "model.keras")
        files = (file for file in (*pictures, *pretrained) if file.exists() and not file.name.startswith(SCRATCH))
        return {file: file.stat().st_mtime_ns for file in files}

    def _wait(self, commands: list[Command]) -> None:
        deadline = time.monotonic() + BOUND
        ended = [command.wait(max(0.1, deadline - time.monotonic())) for command in commands]
        if not all(ended):
            raise Hang(f"it did not end within {BOUND:.0f} s: {_last(commands[ended.index(False)].output)}")


def kill(commands: list[Command], victims: list[int]) -> Hang | Unclear | None:
    """Kills some processes by SIGKILL; the others must end by themselves with a message on how to continue.

    Returns:
        Hang if another process runs for longer than `SURVIVOR` (it is then killed), Unclear if its message does not
        mention `--resume`, and otherwise None.
    """
    for index in victims:
        commands[index].send(signal.SIGKILL)
    survivors = [command for index, command in enumerate(commands) if index not in victims]
    ended = [command.wait(SURVIVOR) for command in survivors]
    for index in victims:
        commands[index].wait(10)
    if not all(ended):
        return Hang(f"the other worker did not stop within {SURVIVOR:.0f} s")
    for command in survivors:
        if "--resume" not in command.output:
            return Unclear(
                f"the other worker (exit code {command.code}) does not mention --resume: {_last(command.output)}"
            )
    return None


def scratch_files(folder: pathlib.Path) -> list[str]:
    """Returns the names of files that are being written in a run directory."""
    return [name for _, names, files in os.walk(folder) for name in (*names, *files) if name.startswith(SCRATCH)]


def compare(run: pathlib.Path, reference: pathlib.Path, tolerance: float = 0.0) -> tuple[list[str], float]:
    """Returns the differences of two runs: arrays of the last states and of models, tables of metrics, pictures.

    Args:
        run: A run directory.
        reference: Another run directory.
        tolerance: Largest |a - b| / (1 + |b|); 0 compares bit for bit, also metrics.csv and pictures.

    Returns:
        (differences in words, largest difference of any number).
    """
    files, expected = _results(run), _results(reference)
    differences = [f"{name} is only in one of them" for name in sorted(files ^ expected)]
    largest = 0.0
    for name in sorted(files & expected):
        ours, theirs = _content(run / name), _content(reference / name)
        if ours.keys() != theirs.keys():
            differences.append(f"{name} has other arrays")
            continue
        for key, value in ours.items():
            if isinstance(value, str):
                if value != theirs[key] and not tolerance:
                    differences.append(f"{name}: {key} differs")
                continue
            if value.shape != theirs[key].shape or value.dtype != theirs[key].dtype:
                differences.append(f"{name}: {key} has another shape or type")
            elif value.tobytes() != theirs[key].tobytes():
                with np.errstate(all="ignore"):
                    a, b = np.asarray(value, np.float64), np.asarray(theirs[key], np.float64)
                    size = float(np.max(np.abs(a - b) / (1 + np.abs(b)), initial=0.0))
                largest = max(largest, size)
                if not tolerance or not size <= tolerance:
                    differences.append(f"{name}: {key} differs by {size:.2g}")
    return differences, largest


def h5_arrays(file) -> dict[str, np.ndarray]:
    """Returns all arrays of an HDF5 file, by path."""
    arrays = {}
    with h5py.File(file) as opened:
        opened.visititems(
            lambda name, item: arrays.update({name: np.asarray(item[()])}) if isinstance(item, h5py.Dataset) else None
        )
    return arrays


def _results(run: pathlib.Path) -> set[str]:
    """Returns the files whose content is determined by training, with the last state of each folder only."""
    files = [path for path in run.rglob("*") if path.is_file() and not path.name.startswith(SCRATCH)]
    outputs = {path for path in files if path.suffix in (".keras", ".png") or path.name == "metrics.csv"}
    newest = {path.parent: path for path in sorted(path for path in files if path.suffix == ".h5")}
    return {path.relative_to(run).as_posix() for path in outputs | set(newest.values())}


def _content(file: pathlib.Path) -> dict[str, Any]:
    if file.suffix == ".h5":
        return h5_arrays(file)
    if file.suffix == ".keras":  # metadata.json has the time
        with zipfile.ZipFile(file) as archive:
            arrays = h5_arrays(io.BytesIO(archive.read("model.weights.h5")))
            return {**arrays, "config.json": _numbered(archive.read("config.json").decode())}
    if file.suffix == ".csv":
        text = file.read_text()
        rows = list(csv.DictReader(io.StringIO(text)))
        numbers = [[float(value) if value else math.nan for value in row.values()] for row in rows]
        return {"text": text, "numbers": np.array(numbers)}
    return {"bytes": file.read_bytes().hex()}


def _numbered(config: str) -> str:
    """Returns a model's configuration without the parts that differ between processes.

    Keras writes memory addresses as `shared_object_id`, and numbers its default names (`dense_3`) over all models of a
    process; a resumed process has built fewer models. Both become numbers in the order of their first use.
    """
    ids: dict[str, int] = {}
    names: dict[str, dict[str, int]] = {}

    def renamed(match: re.Match) -> str:
        numbers = names.setdefault(match[1], {})
        return f'"{match[1]}#{numbers.setdefault(match[0], len(numbers))}"'

    config = re.sub(r'(?<="shared_object_id": )\d+', lambda match: str(ids.setdefault(match[0], len(ids))), config)
    return re.sub(r'"([A-Za-z_]\w*?)(?:_\d+)?"', renamed, config)


@contextlib.contextmanager
def copied(run: ToyRun, out: pathlib.Path) -> Iterator[ToyRun]:
    """Copies a run for the duration of the context."""
    shutil.copytree(run.out, out)
    try:
        yield ToyRun(run.spec, run.data, out, run.workers)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _cluster(workers: int) -> list[dict[str, str]]:
    sockets = [socket.socket() for _ in range(workers)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return [
        {"TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})}
        for index in range(workers)
    ]


def _text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _last(output: str, length: int = 300) -> str:
    """Returns the end of the output of a process, in one line."""
    text = " ".join(output.split())
    start = text.rfind("error:")
    return text[start:][:length] if start >= 0 else text[-length:]
