"""Runs of a few seconds for the fault table: how they are trained, struck and continued, and whether two are equal."""

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

import h5py
import numpy as np

from .commands import Command

SCRATCH = ".tmp-"  # how the names of files begin that are being written, see `keras_gen.files`
TOLERANCE = 1e-5  # of two workers, |a - b| / (1 + |b|): the order of their sums
BOUND = 240.0  # seconds in which any of these runs ends, also on a busy machine
SURVIVOR = 30.0  # seconds in which a worker stops whose partner was killed


class Lost(Exception):
    """A run can't be continued, or what was finished was trained again."""


class Wrong(Exception):
    """A run ended differently from the uninterrupted one, without saying so."""


class Hang(Exception):
    """A process did not end in time, or took too much memory."""


class Unclear(Exception):
    """Nothing was lost, but the message or the exit code is not the documented one."""


@dataclasses.dataclass(frozen=True)
class Toy:
    """A system in toy sizes.

    Attributes:
        system: key of `keras_gen.zoo`.
        data: file name, see `write_data`.
        epochs: in all.
        options: of `keras-gen train`, without `--set`.
        settings: of `--set`.
    """

    system: str
    data: str
    epochs: int
    options: tuple
    settings: dict


TOYS = {
    toy.system: toy
    for toy in (
        Toy("vae", "images.npz", 4, ("--batch-size", 120), {"network": "mlp", "hidden_units": 8, "latent_size": 2}),
        Toy("dcgan", "images.npz", 4, ("--steps", 3, "--batch-size", 16), {"base_filters": 4, "latent_size": 3}),
        # stabilization at 4x4, fade-in at 8x8 (two epochs), stabilization at 8x8
        Toy(
            "progan",
            "images.npz",
            4,
            ("--steps", 3, "--batch-size", 4),
            {"base_filters": 4, "latent_size": 3, "group_size": 2, "fade_images": 24, "stable_images": 24},
        ),
        Toy(
            "text2image",
            "captions.npz",
            3,
            ("--steps", 2, "--batch-size", 8),
            {
                **{"base_filters": 4, "latent_size": 4, "embedding_size": 8, "text_filters": 8, "trunk_filters": 4},
                **{"modulated": True, "embedding": {"epochs": 2}, "vae": {"epochs": 2}},
            },
        ),
    )
}


def write_data(folder: pathlib.Path) -> None:
    """Write 400 gray images 8x8 of two classes, bright on the left or right; 200 of them with captions.

    Of images.npz 40 are for validation, which is what an export needs at least.
    """
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 400)
    image = random.integers(0, 80, (400, 8, 8, 1))
    image[label == 0, :, :4] += 150
    image[label == 1, :, 4:] += 150
    kinds, sides = ("a bar", "one block", "the field"), ("left", "right")
    caption = np.array([f"{kinds[i % 3]} on the {sides[side]}" for i, side in enumerate(label[:200])])
    image = image.astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "images.npz", image=image, label=label)
    np.savez(folder / "captions.npz", image=image[:200], caption=caption)


class ToyRun:
    """One run directory, trained by one process or by two workers, that can be struck and continued.

    Args:
        toy: what is trained.
        data: folder of `write_data`.
        out: the run directory.
        workers: 1, or 2 on loopback through TF_CONFIG.
    """

    def __init__(self, toy: Toy, data: pathlib.Path, out: pathlib.Path, workers: int = 1):
        self.toy, self.data, self.out, self.workers = toy, data, out, workers
        self.logs = [out.with_name(f"{out.name}.{index}.log") for index in range(workers)]

    def arguments(self, how: str) -> list:
        """Arguments of `keras-gen`: `how` is "fresh", "overwrite" or "resume"."""
        if how == "resume":
            return ["train", "--resume", "--out", self.out, "--epochs", self.toy.epochs]
        settings = (("--set", f"{name}={_text(value)}") for name, value in self.toy.settings.items())
        return [
            *("train", self.toy.system, "--data", self.data / self.toy.data, "--out", self.out),
            *("--epochs", self.toy.epochs, *self.toy.options),
            *(part for pair in settings for part in pair),
            *(["--overwrite"] if how == "overwrite" else []),
        ]

    def start(self, how: str, *, epochs: int | None = None, start_at: float | None = None) -> list[Command]:
        """Start the process, or both workers."""
        arguments = self.arguments(how)
        if epochs is not None:
            arguments[arguments.index("--epochs") + 1] = epochs
        environments = [{}] if self.workers == 1 else _cluster(self.workers)
        return [
            Command(arguments, log, environment, start_at)
            for log, environment in zip(self.logs, environments, strict=True)
        ]

    def train(self, how: str = "fresh", *, epochs: int | None = None) -> float:
        """Train without a fault; returns the seconds it took."""
        start = time.monotonic()
        self._wait(commands := self.start(how, epochs=epochs))
        if any(command.code for command in commands):
            raise Lost(_last("; ".join(command.output for command in commands)))
        return time.monotonic() - start

    def attempt(self, strike: Callable[[list[Command]], object] | None = None) -> object:
        """Start the run or continue it, as a user would who reads the messages, and strike while it trains.

        Args:
            strike: takes the processes; returns something true where it hit them before they ended by themselves.

        Returns:
            What `strike` returned; None where the run has been trained to its end.

        Raises:
            Lost: where neither resuming nor, as long as nothing was finished, starting again works.
            Hang: where it does not end.
        """
        finished, kept = self.finished, self._kept()
        ways = ["resume"] if finished else ["fresh", "overwrite"]
        if not finished and (self.out / "config.json").exists():
            ways.insert(0, "resume")
        messages = []
        for way in ways:
            commands = self.start(way)
            try:
                struck = strike and strike(commands)
                if not struck:
                    self._wait(commands)
            except BaseException:  # leaves no process behind
                kill(commands, list(range(len(commands))))
                raise
            for file, written in kept.items():
                if file.exists() and file.stat().st_mtime_ns != written:
                    raise Lost(f"{file.relative_to(self.out)} was finished and is made again by {way}")
            if struck:
                return struck
            if not any(command.code for command in commands):
                return None
            messages.append(f"{way}: " + _last("; ".join(command.output for command in commands if command.code)))
        raise Lost(" | ".join(messages))

    def finish(self, reference: "ToyRun") -> float:
        """Continue to the end and compare with an uninterrupted run; returns the largest difference of any array."""
        self.attempt()
        return self.compare(reference)

    def compare(self, reference: "ToyRun") -> float:
        """Compare with an uninterrupted run: bit for bit, or within `TOLERANCE` for two workers.

        Raises:
            Wrong: where they differ.
        """
        differences, largest = compare(self.out, reference.out, TOLERANCE if self.workers > 1 else 0.0)
        if differences:
            raise Wrong(f"{len(differences)} differences, e.g. {'; '.join(differences[:3])}")
        return largest

    @property
    def finished(self) -> int:
        """Epochs that were finished before the newest state of the chief; 0 where there is none."""
        found = (re.match(r"epoch_(\d+)", file.name) for file in (self.out / "checkpoints").glob("epoch_*.h5"))
        return max((int(match[1]) for match in found if match), default=0)

    @property
    def pretraining(self) -> bool:
        """Whether it still trains what comes before the first epoch."""
        return self.toy.system == "text2image" and not any(self.out.rglob("vae.keras"))

    def _kept(self) -> dict[pathlib.Path, int]:
        """Files that no resumed run writes again, and when they were written.

        One epoch is left out: a kill between a state and its digest leaves the state before as the newest one.
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
    """Kill -9 some processes; those that remain must end by themselves and say how to continue.

    Returns:
        What is to be complained about: a survivor that goes on for longer than `SURVIVOR` (it is killed, too), or whose
        message does not say `--resume`; None where there is nothing.
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
                f"the other worker (exit code {command.code}) does not say --resume: {_last(command.output)}"
            )
    return None


def scratch_files(folder: pathlib.Path) -> list[str]:
    """Names of the files that are being written in a run directory."""
    return [name for _, names, files in os.walk(folder) for name in (*names, *files) if name.startswith(SCRATCH)]


def compare(run: pathlib.Path, reference: pathlib.Path, tolerance: float = 0.0) -> tuple[list[str], float]:
    """What differs between two runs: arrays of the last states and of models, tables of metrics, pictures.

    Args:
        run, reference: run directories.
        tolerance: of |a - b| / (1 + |b|); 0 is bit for bit, also of metrics.csv and pictures.

    Returns:
        (differences in words, largest difference of any number).
    """
    files, expected = _results(run), _results(reference)
    differences = [f"{name} is only in one of them" for name in sorted(files ^ expected)]
    largest = 0.0
    for name in sorted(files & expected):
        ours, theirs = _content(run / name), _content(reference / name)
        if ours.keys() != theirs.keys():
            differences.append(f"{name} holds other arrays")
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
    """All arrays of an HDF5 file, by path."""
    arrays = {}
    with h5py.File(file) as opened:
        opened.visititems(
            lambda name, item: arrays.update({name: np.asarray(item[()])}) if isinstance(item, h5py.Dataset) else None
        )
    return arrays


def _results(run: pathlib.Path) -> set[str]:
    """Files whose content the training determines: of the states, the last of each folder."""
    files = [path for path in run.rglob("*") if path.is_file() and not path.name.startswith(SCRATCH)]
    found = {path for path in files if path.suffix in (".keras", ".png") or path.name == "metrics.csv"}
    newest = {path.parent: path for path in sorted(path for path in files if path.suffix == ".h5")}
    return {path.relative_to(run).as_posix() for path in found | set(newest.values())}


def _content(file: pathlib.Path) -> dict[str, np.ndarray | str]:
    if file.suffix == ".h5":
        return h5_arrays(file)
    if file.suffix == ".keras":  # metadata.json holds the time
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
    """A model's configuration without what differs between processes.

    Keras writes addresses in memory as `shared_object_id`, and counts the names it gives (`dense_3`) over all models of
    a process; a resumed process has built fewer. Both become numbers in the order of their first use.
    """
    ids: dict[str, int] = {}
    names: dict[str, dict[str, int]] = {}

    def renamed(found: re.Match) -> str:
        known = names.setdefault(found[1], {})
        return f'"{found[1]}#{known.setdefault(found[0], len(known))}"'

    config = re.sub(r'(?<="shared_object_id": )\d+', lambda found: str(ids.setdefault(found[0], len(ids))), config)
    return re.sub(r'"([A-Za-z_]\w*?)(?:_\d+)?"', renamed, config)


@contextlib.contextmanager
def copied(run: ToyRun, out: pathlib.Path) -> Iterator[ToyRun]:
    """A copy of a run, deleted afterwards."""
    shutil.copytree(run.out, out)
    try:
        yield ToyRun(run.toy, run.data, out, run.workers)
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


def _last(output: str, most: int = 300) -> str:
    """The end of what a process printed, in one line."""
    text = " ".join(output.split())
    found = text.rfind("error:")
    text = text[found:] if found >= 0 else text
    return text[:most] if found >= 0 else text[-most:]
