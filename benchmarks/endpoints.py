"""Every endpoint of exported runs: error against Keras, size of the file, latency of a call.

    python -m benchmarks.endpoints runs/text runs/puzzle runs/cycle runs/star

Exports each run anew in every precision, then times its endpoints in processes that take turns, round after round, one
thread each. Runs with captions also generate from strings, in Keras and in the runtime, with the same noise; the
largest and the mean difference of the images are reported. Writes benchmarks/results/endpoints.json.
"""

import pathlib
import statistics
import sys
import tempfile
from typing import Annotated

import numpy as np
import rich.console
import rich.table
import typer

import keras_gen
from benchmarks import record
from keras_gen.export import PRECISIONS, export, parity_rows
from keras_gen.models import TextConditional
from keras_gen.runs import Run, read_json

from .speed import Worker
from .workers.on_device import runtime

# as users may type them: capitals, a hyphen, a non-breaking space, unknown words
CAPTIONS = (
    "a red star",
    "A Small BLUE circle.",
    "a dark-gray\u00a0background",
    "a striped pink heart, top left",
    "한국어",
)


def latencies(folder: pathlib.Path, precisions: tuple[str, ...], calls: int, rounds: int) -> dict:
    """Returns {(precision, endpoint): median milliseconds of a call}; the workers take turns."""
    names = list(read_json(folder / "model.json")["signatures"])
    command = [sys.executable, "-m", "benchmarks.workers.endpoint", str(folder)]
    workers = [Worker(name, each, [*command, each, name, "1"]) for each in precisions for name in names]
    for worker in workers:
        worker.run(3)  # allocates
    for _ in range(rounds):
        for worker in workers:
            worker.times.append(1e3 * worker.run(calls) / calls)
    for worker in workers:
        worker.close()
    return {(worker.setting, worker.name): round(statistics.median(worker.times), 3) for worker in workers}


def caption_error(run: Run, folder: pathlib.Path, precision: str, seed: int) -> dict[str, float] | None:
    """Returns the largest and mean difference between images of Keras and the runtime for the same captions, if any."""
    model = keras_gen.load(run.path)
    if not isinstance(model, TextConditional):
        return None
    exported = runtime(precision, str(folder), 1)
    ours, theirs = (
        np.concatenate([each.generate(4, seed=seed, caption=caption) for caption in CAPTIONS])
        for each in (model, exported)
    )
    difference = np.abs(ours - theirs)
    return {"max": float(difference.max()), "mean": float(difference.mean())}


def measure(path: pathlib.Path, precisions: tuple[str, ...], calls: int, rounds: int, seed: int) -> dict:
    """Returns sizes, errors and latencies of a run's endpoints."""
    run = Run.open(path)
    with tempfile.TemporaryDirectory() as scratch:
        folder = export(run, quantize=precisions, out=pathlib.Path(scratch) / "export", seed=seed)
        parity = read_json(folder / "parity.json")
        times = latencies(folder, precisions, calls, rounds)
        strings = {precision: caption_error(run, folder, precision, seed) for precision in precisions}
    whole = parity["files"]["float32"]["bytes"]
    files = {
        name: {
            "bytes": file["bytes"],
            "ratio": round(file["bytes"] / whole, 3),
            "caption_error": strings[name],
            "float_fallback": file["float_fallback"],
        }
        for name, file in parity["files"].items()
    }
    rows = [
        {key: row[key] for key in ("precision", "endpoint", "output", "kind", "max", "mean", "within")}
        | {"ms": times[row["precision"], row["endpoint"]]}
        for row in parity_rows(parity)
    ]
    run_config = {key: run.config[key] for key in ("system", "image_shape", "settings", "training")}
    return {**run_config, "data": pathlib.Path(run.config["data"]["source"]).name, "files": files, "endpoints": rows}


def main(
    runs: Annotated[list[pathlib.Path], typer.Argument(help="trained run directories")],
    precisions: Annotated[str, typer.Option(help="with commas; float32 is among them")] = ",".join(PRECISIONS),
    calls: Annotated[int, typer.Option(help="timed calls in a turn")] = 20,
    rounds: Annotated[int, typer.Option(help="turns of each endpoint")] = 7,
    seed: int = 0,
    out: str = "endpoints",
) -> None:
    """Measures error, size and latency of every endpoint of exported runs."""
    chosen = tuple(dict.fromkeys(["float32", *precisions.split(",")]))
    results = {}
    for path in runs:
        results[Run.open(path).config["system"]] = measure(path, chosen, calls, rounds, seed)
        print(f"wrote {record.write(out, {'seed': seed, 'calls': calls, 'rounds': rounds, 'runs': results})}")
        show(results)


def show(results: dict) -> None:
    """Prints the tables."""
    console = rich.console.Console()
    files = rich.table.Table("system", "file", "kB", "of float32", "strings: max, mean error", "in float32")
    rows = rich.table.Table("system", "endpoint", "file", "output", "max error", "mean error", "within", "ms")
    for system, one in results.items():
        for precision, file in one["files"].items():
            error = ", ".join(f"{value:.1e}" for value in (file["caption_error"] or {}).values())
            size = f"{file['bytes'] / 1e3:.0f}", f"{file['ratio']:.3f}"
            files.add_row(system, precision, *size, error, " ".join(file["float_fallback"]))
        for row in one["endpoints"]:
            within = {True: "yes", False: "NO", None: ""}[row["within"]]
            numbers = f"{row['max']:.1e}", f"{row['mean']:.1e}", within, f"{row['ms']:.3f}"
            rows.add_row(system, row["endpoint"], row["precision"], row["output"], *numbers)
    console.print(files)
    console.print(rows)


if __name__ == "__main__":
    typer.run(main)
