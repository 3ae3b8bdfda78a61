"""Runs on several devices compared with the same runs on one: the largest differences of their files.

    python -m benchmarks.replicas [KEY ...] [--precision mixed_bfloat16] [--workers 2]

Every system of the zoo is trained by `keras_gen.train` on a few small images in files: on one device, and on two
logical CPU devices (`strategy="mirrored"`), or with `--workers 2` by two processes on this machine
(`keras-gen train --strategy multiworker`). The run on several devices is stopped after an epoch and resumed; the run
on a single device is not. The comparison covers the last states (every variable: networks, averages, optimizers,
seeds and step counters), metrics.csv, the pictures and the model card. Writes benchmarks/results/replicas.json.

Adam divides a gradient by its own size. If a gradient is exactly 0 in theory (a bias before a normalization), it
consists of rounding errors, which depend on the order of sums, and Adam's step is as large as any other. Such
variables may differ by as much as they change; the moments of Adam, which are linear and quadratic in the gradients,
distinguish a wrong gradient from rounding.
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Annotated, Any

import h5py
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer
from PIL import Image

import keras_gen
from benchmarks import record
from keras_gen import runs, zoo
from keras_gen.export import export
from keras_gen.runs.history import read_rows
from keras_gen.runtime import Runtime
from tests.toy import BATCH
from tests.toys import TOYS

ROOT = pathlib.Path(__file__).parents[1]
SEED = 0
# seconds after which workers are ended
TIMEOUT = 600
# systems that are trained by several workers by default: one of each kind
WORKER_SYSTEMS = ("vae", "dcgan", "cyclegan", "progan", "text2image")
# Of 36 images, 3 are for validation and 33 for training, so that the last batches have three rows and one, of which one
# replica has none. Systems that drop a smaller last batch have 4 images for validation, and two batches in an epoch.
EXAMPLES, EVEN_EXAMPLES, EVEN_STEPS = 36, 40, 2


def arguments(key: str, folder: pathlib.Path, precision: str = "float32") -> dict:
    """Writes the data of a system into a folder, and returns arguments of `keras_gen.train`.

    An epoch is one step if the precision is not float32: rounding grows with every further step.

    Raises:
        ValueError: If the system has no toy.
    """
    if key not in TOYS:
        raise ValueError(
            f"Expected a system with toy settings; received {key!r}. Add a toy to tests/models/<system>/toy.py"
        )
    toy, drop_remainder = TOYS[key], zoo.get(key).drop_remainder
    settings = {name: value for name, value in toy.settings.items() if name not in toy.derived_settings}
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "system": key,
        "data": toy.write_source(toy, folder, EVEN_EXAMPLES if drop_remainder else EXAMPLES),
        "settings": settings | dict(toy.run_settings),
        "batch_size": BATCH,
        "seed": SEED,
        "precision": precision,
        "steps": EVEN_STEPS if drop_remainder else None,
        **toy.train_options,
        **({} if precision == "float32" else {"steps": 1}),
    }


def train(options: Mapping, out: pathlib.Path, strategy: str, stops: tuple[int, ...]) -> runs.Run:
    """Trains a run to each of some epochs in turn, resuming in between."""
    for epochs in stops:
        run = keras_gen.train(
            out=out, resume=epochs != stops[0], epochs=epochs, strategy=strategy, verbose=0, **options
        )
    return run


def launch(options: Mapping, out: pathlib.Path, stops: tuple[int, ...], workers: int) -> runs.Run:
    """Does the same as `train`, with several workers on this machine that `keras-gen launch` starts.

    Raises:
        RuntimeError: If a worker fails; the message has the output of the workers.
    """
    for epochs in stops:
        more = _options(options) if epochs == stops[0] else ["--resume"]
        command = [sys.executable, "-m", "keras_gen.cli", "launch", "--workers", str(workers), "--", "train", *more]
        command += ["--out", str(out), "--epochs", str(epochs), "--quiet"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode:
            raise RuntimeError(f"Expected exit code 0; received {done.returncode}.\n{done.stdout}{done.stderr}")
    return runs.Run.open(out)


def _options(options: Mapping) -> list[str]:
    """Returns arguments of `train` as options of the command line."""
    line = [options["system"]]
    for name, value in options.items():
        if name in ("settings", "view"):
            option = {"settings": "--set", "view": "--view"}[name]
            for key, one in value.items():
                line += [option, f"{key}={json.dumps(one)}"]
        elif name != "system" and value is not None:
            line += [f"--{name.replace('_', '-')}", str(value)]
    return line


def state_of(run: runs.Run) -> dict[str, np.ndarray]:
    """Returns {path: value} of every variable in the last state."""
    values = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            values[name] = item[()]

    with h5py.File(sorted(run.checkpoints.glob("epoch_*.weights.h5"))[-1]) as file:
        file.visititems(visit)
    return values


def differences(one: runs.Run, other: runs.Run) -> dict:
    """Returns the largest differences of two runs.

    Returns:
        Names and numbers: `integers` (paths of step counters and seeds that differ), `weights` (absolute), `moments`
        (of the optimizers, relative, see `_moments`), `metrics` (relative, of metrics.csv), `pictures` (in 1/255),
        `card` (lines that differ), `files` (that one run has and the other does not).
    """
    ours, theirs = state_of(one), state_of(other)
    if list(ours) != list(theirs):
        raise ValueError(
            f"Expected runs with the same variables; received {set(ours) ^ set(theirs)} in one of them only"
        )
    pairs = {name: (ours[name], theirs[name]) for name in ours}
    real = {name: pair for name, pair in pairs.items() if pair[0].dtype.kind == "f" and pair[0].size}
    optimizers = {name: pair for name, pair in real.items() if name.startswith("optimizer")}
    weights = [pair for name, pair in real.items() if name not in optimizers]
    return {
        "integers": [name for name, pair in pairs.items() if name not in real and not np.array_equal(*pair)],
        "weights": max(float(np.abs(value - other).max()) for value, other in weights),
        "moments": max(map(_moments, optimizers.values())),
        "metrics": _metrics(one, other),
        "pictures": _pictures(one, other),
        "card": [f"{line} | {other_line}" for line, other_line in _card_lines(one, other)],
        "files": sorted(files_of(one) ^ files_of(other)),
    }


def _moments(pair: tuple[np.ndarray, np.ndarray]) -> float:
    """Returns the largest difference of an optimizer's variable, relative to its largest entry.

    Gradients are about 1 here. Moments below 1e-6 are rounding errors, which are not divided by their size.
    """
    value, other = pair
    return float(np.abs(value - other).max() / (np.abs(value).max() + 1e-6))


def _metrics(one: runs.Run, other: runs.Run) -> float:
    largest = 0.0
    for ours, theirs in zip(read_rows(one.metrics_file), read_rows(other.metrics_file), strict=True):
        if ours.keys() != theirs.keys():
            raise ValueError(
                f"Expected the same metrics; received {ours.keys() ^ theirs.keys()} in one of the runs only"
            )
        largest = max(largest, *(_relative(value, theirs[name]) for name, value in ours.items()))
    return largest


def _relative(value: float, other: float) -> float:
    # the rounding error of a difference of losses is relative to the losses, which are about 1
    return abs(value - other) / max(abs(value), 1e-2)


def _pictures(one: runs.Run, other: runs.Run) -> int:
    largest = 0
    for file in sorted(one.samples.iterdir()):
        ours, theirs = (np.asarray(Image.open(each), np.int32) for each in (file, other.samples / file.name))
        largest = max(largest, int(np.abs(ours - theirs).max()))
    return largest


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def _card_lines(one: runs.Run, other: runs.Run) -> list[tuple[str, str]]:
    """Returns pairs of lines of the model cards that differ by more than the devices and the last of four digits."""
    ours, theirs = (
        [
            line
            for line in run.card_file.read_text().replace(str(run.path), "RUN").splitlines()
            if "| strategy |" not in line
        ]
        for run in (one, other)
    )
    return [pair for pair in itertools.zip_longest(ours, theirs, fillvalue="") if not _same_line(*pair)]


def _same_line(line: str, other: str) -> bool:
    if NUMBER.sub("", line) != NUMBER.sub("", other):
        return False
    numbers = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
    return all(value == other or _relative(float(value), float(other)) < 2e-3 for value, other in numbers)


def files_of(run: runs.Run) -> set[str]:
    """Returns the files of a run directory, without those of TensorBoard and the states of other workers."""
    paths = [path.relative_to(run.path) for path in run.path.rglob("*") if path.is_file()]
    return {str(path) for path in paths if "tensorboard" not in path.parts and "worker_" not in str(path)}


def measure(key: str, folder: pathlib.Path, precision: str = "float32", workers: int = 0) -> dict:
    """Trains a system on one device and on two, and compares the runs.

    Args:
        key: Key of the system.
        folder: Empty folder for the data and the runs `one` and `several`.
        precision: As in `keras_gen.train`.
        workers: Number of processes; 0 is one process with two devices.

    Returns:
        `differences`, `samples` (the largest difference of images of the best models) and `seconds` (of CPU, in this
        process).
    """
    options, stops = arguments(key, folder / "data", precision), (2, 3) if workers else (1, 2)
    began = time.process_time()
    one = train(options, folder / "one", "default", stops[-1:])
    middle = time.process_time()
    if workers:
        other = launch(options, folder / "several", stops, workers)
    else:
        other = train(options, folder / "several", "mirrored", stops)
    ended = time.process_time()
    images = [TOYS[key].images(run.load_model(), 4, seed=1) for run in (one, other)]
    return {
        **differences(one, other),
        "samples": float(np.abs(images[0] - images[1]).max()),
        "seconds": {"one": round(middle - began, 1), "several": round(ended - middle, 1)},
    }


def use(key: str, one: runs.Run, other: runs.Run) -> dict[str, float]:
    """Evaluates two runs, exports the second, and compares the results.

    Returns:
        `evaluation` (relative, of all metrics) and `exported` (the largest difference of images, from the exported
        float32 file of the second run to Keras with the first).
    """
    options: dict[str, Any] = {"samples": 16, "nll_images": 8, "nll_samples": 16, "split": "train", "verbose": False}
    ours, theirs = (keras_gen.evaluate(run, **options)["metrics"] for run in (one, other))
    if {name: value is None for name, value in ours.items()} != {name: value is None for name, value in theirs.items()}:
        raise ValueError(f"Expected the same metrics of both runs; received {ours} and {theirs}")
    measured = [name for name, value in ours.items() if value is not None]
    toy, model = TOYS[key], one.load_model()
    runtime = Runtime(export(other, quantize="float32"))
    images = toy.images(model, 4, seed=1)
    if "generate" in runtime.signatures:
        exported = runtime.generate(4, seed=1, **toy.conditions)
    else:
        endpoint, inputs = toy.first_endpoint(model, 4, seed=1)
        output = next(name for name, port in endpoint.outputs.items() if port.kind == "image")
        exported = runtime.run(endpoint.name, **inputs)[output]
    return {
        "evaluation": max(_relative(ours[name], theirs[name]) for name in measured),
        "exported": float(np.abs(images - exported).max()),
    }


def main(
    keys: Annotated[
        list[str] | None, typer.Argument(help="systems; default all, or WORKER_SYSTEMS with --workers")
    ] = None,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16")] = "float32",
    workers: Annotated[int, typer.Option(help="processes; 0 is one process with two devices")] = 0,
    out: str = "replicas",
    table: Annotated[bool, typer.Option("--table", help="only print the last results in Markdown")] = False,
) -> None:
    """Compares runs on several devices with runs on one; other rows of an earlier result remain."""
    if table:
        print(markdown(record.read(out)["runs"]))
        return
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.set_visible_devices([], "GPU")
    how = f"{workers} workers" if workers else "mirrored"
    results = record.read(out).get("runs", {})
    rows = results.setdefault(how, {}).setdefault(precision, {})
    for key in keys or (WORKER_SYSTEMS if workers else zoo.SYSTEMS):
        with tempfile.TemporaryDirectory() as folder:
            rows[key] = measure(key, pathlib.Path(folder), precision, workers)
        print(f"{key}: wrote {record.write(out, {'seed': SEED, 'runs': results})}", flush=True)
    show(rows, f"{how}, {precision}, against one device")


def show(rows: Mapping[str, dict], title: str) -> None:
    """Prints a table of the largest differences."""
    names = ("weights", "moments", "metrics", "pictures", "samples")
    table = rich.table.Table("system", *names, "else", title=title)
    for key, row in rows.items():
        others = [*row["integers"], *row["card"], *row["files"]]
        table.add_row(key, *(f"{row[name]:.1e}" for name in names), ", ".join(others) or "equal")
    rich.console.Console().print(table)


def markdown(results: Mapping[str, Mapping[str, dict]]) -> str:
    """Returns the table of RESULTS.md: a row with the largest differences for each system."""
    lines = ["| system | devices | weights | moments | metrics | pictures | bfloat16: weights | metrics |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for how, by_precision in results.items():
        half = by_precision.get("mixed_bfloat16", {})
        for key, row in by_precision["float32"].items():
            cells = [f"{row[name]:.1e}" for name in ("weights", "moments", "metrics")] + [f"{row['pictures']}/255"]
            cells += [f"{half[key][name]:.1e}" if key in half else "" for name in ("weights", "metrics")]
            lines.append(f"| `{key}` | {how} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
