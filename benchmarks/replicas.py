"""Runs on several devices against the same runs on one: the largest differences of all that a run leaves.

    python -m benchmarks.replicas [KEY ...] [--precision mixed_bfloat16] [--workers 2]

Every system of the zoo is trained through `keras_gen.train` on a few small images that lie in files: on one device,
and on two logical CPU devices (`strategy="mirrored"`), or with `--workers 2` by two processes on this machine
(`keras-gen train --strategy multiworker`). The run on several devices is stopped after an epoch and resumed; the one on
a single device is not stopped. Compared are the last states (every variable: networks, averages, optimizers, seeds and
step counters), metrics.csv, the pictures and the model card. Writes benchmarks/results/replicas.json.

Adam divides a gradient by its own size. Where a gradient is exactly 0 (a bias before a normalization), what is left of
it is rounding, which is another with another order of sums, and Adam's step is as large as any other. Such variables
may differ by as much as they moved; the moments of Adam, which are linear and quadratic in the gradients, tell a wrong
gradient from rounding.
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
from typing import Annotated

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
# seconds that workers may take before they are ended
TIMEOUT = 600
# trained by several workers where no system is asked for: of each kind one
WORKED = ("vae", "dcgan", "cyclegan", "progan", "text2image")
# Of 36 images three are for validation and 33 are trained on, so that the last batches have one and three rows: one of
# two replicas has none of the one. Systems of whole batches have four for validation, and see two batches in an epoch.
EXAMPLES, WHOLE_EXAMPLES, WHOLE_STEPS = 36, 40, 2


def arguments(key: str, folder: pathlib.Path, precision: str = "float32") -> dict:
    """Writes the data of a system into a folder, and returns arguments of `keras_gen.train`.

    An epoch is one step if the precision is not float32: rounding grows with every further step.

    Raises:
        ValueError: for a system without toy settings.
    """
    if key not in TOYS:
        raise ValueError(
            f"Expected a system with toy settings; received {key!r}. Add a toy to tests/models/<system>/toy.py"
        )
    toy, whole = TOYS[key], zoo.get(key).drop_remainder
    settings = {name: value for name, value in toy.settings.items() if name not in toy.derived_settings}
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "system": key,
        "data": toy.write_source(toy, folder, WHOLE_EXAMPLES if whole else EXAMPLES),
        "settings": settings | dict(toy.run_settings),
        "batch_size": BATCH,
        "seed": SEED,
        "precision": precision,
        "steps": WHOLE_STEPS if whole else None,
        **toy.train_options,
        **({} if precision == "float32" else {"steps": 1}),
    }


def train(options: Mapping, out: pathlib.Path, strategy: str, stops: tuple[int, ...]) -> runs.Run:
    """Train to each of some epochs in turn, resuming in between."""
    for epochs in stops:
        run = keras_gen.train(
            out=out, resume=epochs != stops[0], epochs=epochs, strategy=strategy, verbose=0, **options
        )
    return run


def launch(options: Mapping, out: pathlib.Path, stops: tuple[int, ...], workers: int) -> runs.Run:
    """The same by the command line, by workers on this machine (`keras-gen launch`).

    Raises:
        RuntimeError: where a worker fails; the message is what the workers printed.
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
    """The arguments of `train` as options of the command line."""
    found = [options["system"]]
    for name, value in options.items():
        if name in ("settings", "view"):
            option = {"settings": "--set", "view": "--view"}[name]
            for key, one in value.items():
                found += [option, f"{key}={json.dumps(one)}"]
        elif name != "system" and value is not None:
            found += [f"--{name.replace('_', '-')}", str(value)]
    return found


def state_of(run: runs.Run) -> dict[str, np.ndarray]:
    """Path -> value of every variable in the last state."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(sorted(run.checkpoints.glob("epoch_*.weights.h5"))[-1]) as file:
        file.visititems(visit)
    return found


def differences(one: runs.Run, other: runs.Run) -> dict:
    """The largest differences of two runs.

    Returns:
        Names and numbers: `integers` (paths of step counters and seeds that differ), `weights` (absolute), `moments`
        (of the optimizers, relative, see `_moments`), `metrics` (relative, of metrics.csv), `pictures` (in 1/255),
        `card` (lines that differ), `files` (that one run has and the other does not).
    """
    ours, theirs = state_of(one), state_of(other)
    if list(ours) != list(theirs):
        raise ValueError(f"Expected two runs with the same variables; {set(ours) ^ set(theirs)} are in one of them")
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
    """The largest difference in an optimizer's variable, relative to its largest entry.

    Gradients are of size 1 here; below 1e-6 the moments of one are rounding, and are not divided by themselves.
    """
    value, other = pair
    return float(np.abs(value - other).max() / (np.abs(value).max() + 1e-6))


def _metrics(one: runs.Run, other: runs.Run) -> float:
    found = 0.0
    for ours, theirs in zip(read_rows(one.metrics_file), read_rows(other.metrics_file), strict=True):
        if ours.keys() != theirs.keys():
            raise ValueError(f"Expected the same metrics; {ours.keys() ^ theirs.keys()} are in one of the runs")
        found = max(found, *(_relative(value, theirs[name]) for name, value in ours.items()))
    return found


def _relative(value: float, other: float) -> float:
    # a difference of losses is rounding of the losses, which are of size 1, however near to 0 it is
    return abs(value - other) / max(abs(value), 1e-2)


def _pictures(one: runs.Run, other: runs.Run) -> int:
    found = 0
    for file in sorted(one.samples.iterdir()):
        ours, theirs = (np.asarray(Image.open(each), np.int32) for each in (file, other.samples / file.name))
        found = max(found, int(np.abs(ours - theirs).max()))
    return found


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def _card_lines(one: runs.Run, other: runs.Run) -> list[tuple[str, str]]:
    """Pairs of lines of the model cards that differ: neither in the devices nor in the last of four digits."""
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
    """What a run directory holds, without the names of TensorBoard's files and without the states of other workers."""
    paths = [path.relative_to(run.path) for path in run.path.rglob("*") if path.is_file()]
    return {str(path) for path in paths if "tensorboard" not in path.parts and "worker_" not in str(path)}


def measure(key: str, folder: pathlib.Path, precision: str = "float32", workers: int = 0) -> dict:
    """Train a system on one device and on two, and compare what the runs leave.

    Args:
        key: of the zoo.
        folder: for data and runs, `one` and `several`; empty.
        precision: as of `keras_gen.train`.
        workers: processes; 0 is one process with two devices.

    Returns:
        `differences`, `samples` (the largest of images from the best models) and `seconds` (of CPU, in this process).
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
    """Evaluate two runs and export the second, and compare what they give.

    Returns:
        `evaluation` (relative, of all metrics) and `exported` (the largest difference of images, from the exported
        float32 file of the second run to Keras's of the first).
    """
    options = {"samples": 16, "nll_images": 8, "nll_samples": 16, "split": "train", "verbose": False}
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
    keys: Annotated[list[str] | None, typer.Argument(help="systems; default all, or the five of WORKED")] = None,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16")] = "float32",
    workers: Annotated[int, typer.Option(help="processes; 0 is one process with two devices")] = 0,
    out: str = "replicas",
    table: Annotated[bool, typer.Option("--table", help="print the last results in Markdown and do nothing")] = False,
) -> None:
    """Compare runs on several devices with runs on one; other rows of a former result stay."""
    if table:
        print(markdown(json.loads((record.RESULTS / f"{out}.json").read_text())["runs"]))
        return
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.set_visible_devices([], "GPU")
    former, how = record.RESULTS / f"{out}.json", f"{workers} workers" if workers else "mirrored"
    found = json.loads(former.read_text())["runs"] if former.exists() else {}
    rows = found.setdefault(how, {}).setdefault(precision, {})
    for key in keys or (WORKED if workers else zoo.SYSTEMS):
        with tempfile.TemporaryDirectory() as folder:
            rows[key] = measure(key, pathlib.Path(folder), precision, workers)
        print(f"{key}: wrote {record.write(out, {'seed': SEED, 'runs': found})}", flush=True)
    show(rows, f"{how}, {precision}, against one device")


def show(rows: Mapping[str, dict], title: str) -> None:
    """Print a table of the largest differences."""
    names = ("weights", "moments", "metrics", "pictures", "samples")
    table = rich.table.Table("system", *names, "else", title=title)
    for key, row in rows.items():
        others = [*row["integers"], *row["card"], *row["files"]]
        table.add_row(key, *(f"{row[name]:.1e}" for name in names), ", ".join(others) or "equal")
    rich.console.Console().print(table)


def markdown(found: Mapping[str, Mapping[str, dict]]) -> str:
    """The table of RESULTS.md: a row for each system, with the largest differences in float32 and in bfloat16."""
    lines = ["| system | devices | weights | moments | metrics | pictures | bfloat16: weights | metrics |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for how, by_precision in found.items():
        half = by_precision.get("mixed_bfloat16", {})
        for key, row in by_precision["float32"].items():
            cells = [f"{row[name]:.1e}" for name in ("weights", "moments", "metrics")] + [f"{row['pictures']}/255"]
            cells += [f"{half[key][name]:.1e}" if key in half else "" for name in ("weights", "metrics")]
            lines.append(f"| `{key}` | {how} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
