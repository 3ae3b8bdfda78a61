"""Size, error, latency, start time and memory of an exported model, compared with TensorFlow.

    python -m benchmarks.on_device runs/vae

Exports the run to a temporary folder in every precision, then times `decode` (batch 1) in long-lived processes that
take turns, round after round, and the time to the first image in new processes, also in turns. Medians over the
rounds. Writes benchmarks/results/on_device.json.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Annotated

import rich.console
import rich.table
import typer

from benchmarks import record
from keras_gen.export import PRECISIONS, export, parity_rows
from keras_gen.runs import Run, read_json

from .speed import Worker

FLOAT32_ERROR, INT8_RATIO, INT8_ERROR = 1e-5, 0.30, 0.02
TENSORFLOW = {"predict": "Keras predict", "eager": "Keras eager call", "graph": "Keras in a tf.function"}
STARTS = ("int8", "float32", "saved_model", "keras")


def errors_and_sizes(folder: pathlib.Path) -> dict:
    """Returns bytes, ratios to float32, and the largest and mean errors of images, from parity.json."""
    parity = read_json(folder / "parity.json")
    rows = [row for row in parity_rows(parity) if row["kind"] == "image"]
    whole = parity["files"]["float32"]["bytes"]
    files = {}
    for precision, file in parity["files"].items():
        images = [row for row in rows if row["precision"] == precision]
        files[precision] = {
            "bytes": file["bytes"],
            "ratio": file["bytes"] / whole,
            "max_error": max(row["max"] for row in images),
            "mean_error": max(row["mean"] for row in images),  # of the endpoint with the largest error
            "endpoints": {row["endpoint"]: {"max": row["max"], "mean": row["mean"]} for row in images},
        }
    batches = parity["saved_model"]["batches"]
    saved = {size: max(o["max"] for e in each.values() for o in e.values()) for size, each in batches.items()}
    return {"examples": parity["examples"], "files": files, "saved_model_max_error": saved}


def latencies(run: Run, folder: pathlib.Path, calls: int, rounds: int) -> list[dict]:
    """Returns milliseconds of one `decode`, batch 1, for every implementation; the workers take turns."""
    ways = [(f"runtime, {precision}", precision, threads) for precision in PRECISIONS for threads in (1, 2)]
    ways += [("SavedModel", "saved_model", 0), *((name, way, 0) for way, name in TENSORFLOW.items())]
    workers = [Worker(name, str(threads), command("serve", way, run, folder, threads)) for name, way, threads in ways]
    for worker in workers:
        worker.run(max(3, calls // 10))  # allocates, traces
    for _ in range(rounds):
        for worker in workers:
            # a call of Keras takes a hundred times longer, so fewer calls are timed
            times = calls if worker.name.startswith("runtime") else max(3, calls // 10)
            worker.times.append(1e3 * worker.run(times) / times)
    for worker in workers:
        worker.close()
    return [
        {
            "way": worker.name,
            "threads": int(worker.setting) or "default",
            "ms": statistics.median(worker.times),
            "range": [min(worker.times), max(worker.times)],
        }
        for worker in workers
    ]


def starts(run: Run, folder: pathlib.Path, rounds: int) -> list[dict]:
    """Returns seconds from the import to the first image, and memory, of new processes that take turns."""
    measurements = {way: [] for way in STARTS}
    for _ in range(rounds):
        for way in STARTS:
            begin = time.perf_counter()
            done = subprocess.run(command("first", way, run, folder, 1), capture_output=True, text=True, check=True)
            measurements[way].append({**json.loads(done.stdout), "process_seconds": time.perf_counter() - begin})
    rows = []
    for way, results in measurements.items():
        if way in PRECISIONS and any(result["tensorflow"] for result in results):
            raise RuntimeError("Expected no TensorFlow in the process of the runtime; it was imported")
        keys = ("seconds", "process_seconds", "resident_mb", "peak_mb")
        rows.append({"way": way, **{key: statistics.median(result[key] for result in results) for key in keys}})
    return rows


def command(what: str, way: str, run: Run, folder: pathlib.Path, threads: int) -> list[str]:
    """Returns the command line of the worker."""
    arguments = [what, way, str(run.path.resolve()), str(folder), str(threads)]
    return [sys.executable, "-m", "benchmarks.workers.on_device", *arguments]


def main(
    run: Annotated[pathlib.Path, typer.Argument(help="a trained run directory")],
    calls: Annotated[int, typer.Option(help="timed calls of the runtime in a turn (a tenth for TensorFlow)")] = 200,
    rounds: Annotated[int, typer.Option(help="turns of each implementation")] = 7,
    seed: Annotated[int, typer.Option(help="seed of the noise in calibration and comparison")] = 0,
    out: str = "on_device",
) -> None:
    """Measures size, error, latency, start and memory of a run's exported files."""
    opened = Run.open(run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = export(
            opened, format=("tflite", "saved_model"), quantize=PRECISIONS, out=pathlib.Path(scratch) / "export",
            seed=seed,
        )  # fmt: skip
        content = {
            "run": {key: opened.config[key] for key in ("system", "image_shape", "settings", "training")},
            "data": pathlib.Path(opened.config["data"]["source"]).name,
            "seed": seed,
            "calls": calls,
            "rounds": rounds,
            **errors_and_sizes(folder),
            "decode_batch_1": latencies(opened, folder, calls, rounds),
            "first_image": starts(opened, folder, rounds),
        }
    files = content["files"]
    content["targets"] = {
        f"float32 max error <= {FLOAT32_ERROR}": files["float32"]["max_error"] <= FLOAT32_ERROR,
        f"int8 size <= {INT8_RATIO} of float32": files["int8"]["ratio"] <= INT8_RATIO,
        f"int8 mean error <= {INT8_ERROR}": files["int8"]["mean_error"] <= INT8_ERROR,
    }
    print(f"wrote {record.write(out, content)}")
    show(content)


def show(content: dict) -> None:
    """Prints the tables."""
    console = rich.console.Console()
    table = rich.table.Table("file", "kB", "of float32", "max error", "mean error")
    for name, file in content["files"].items():
        numbers = f"{file['bytes'] / 1e3:.1f}", f"{file['ratio']:.3f}", f"{file['max_error']:.1e}"
        table.add_row(name, *numbers, f"{file['mean_error']:.1e}")
    console.print(table)
    table = rich.table.Table("decode, batch 1", "threads", "ms", "range")
    for row in content["decode_batch_1"]:
        low, high = row["range"]
        table.add_row(row["way"], str(row["threads"]), f"{row['ms']:.3f}", f"{low:.3f} - {high:.3f}")
    console.print(table)
    table = rich.table.Table("import + first image", "s", "resident MB", "peak MB")
    for row in content["first_image"]:
        table.add_row(row["way"], f"{row['seconds']:.2f}", f"{row['resident_mb']:.0f}", f"{row['peak_mb']:.0f}")
    console.print(table)
    for target, met in content["targets"].items():
        console.print(f"{'met' if met else 'MISSED'}: {target}")


if __name__ == "__main__":
    typer.run(main)
