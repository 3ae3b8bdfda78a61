"""Time and peak memory of every metric of sample quality, 10,000 samples against 10,000.

    python -m benchmarks.evaluation_cost

Each metric runs once in a separate process, on noise: `before` is the resident set of the process with both sets of
images, and `peak` the largest resident set. Writes benchmarks/results/evaluation_cost.json.
"""

import json
import subprocess
import sys

import rich.console
import rich.table
import typer

from benchmarks import record

from .workers.evaluation_cost import BY_FEATURES, METRICS

SHAPES = ((28, 28, 1), (64, 64, 3))
# bound on the peak of every metric
LIMIT_GIB = 4.0


def measure(metric: str, samples: int, shape: tuple[int, int, int]) -> dict:
    """Returns a row: one metric, measured in a separate process."""
    arguments = [metric, str(samples), *map(str, shape)]
    command = [sys.executable, "-m", "benchmarks.workers.evaluation_cost", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    row = {"metric": metric, "image_shape": list(shape)}
    if done.returncode:
        raise RuntimeError(f"{metric} at {shape} ended with exit code {done.returncode}: {done.stderr[-2000:]}")
    return row | json.loads(done.stdout.splitlines()[-1])


def main(samples: int = 10_000, only: str = "", out: str = "evaluation_cost") -> None:
    """Measures metrics whose names contain `only`, at 28x28x1 and 64x64x3; other rows of an earlier result remain."""
    chosen = [metric for metric in METRICS if only in metric]
    if not chosen:
        raise typer.BadParameter(
            f"Expected a part of the name of a metric, one of {', '.join(METRICS)}; received {only!r}"
        )
    rows = [
        measure(metric, samples, shape)
        for shape in SHAPES
        for metric in chosen
        if shape == SHAPES[0] or metric not in BY_FEATURES  # they do not depend on the size of an image
    ]
    earlier = record.read(out)
    if only and earlier.get("samples") == samples:
        new_rows = {(row["metric"], *row["image_shape"]): row for row in rows}
        rows = [new_rows.get((row["metric"], *row["image_shape"]), row) for row in earlier["rows"]]
    peaks = [row["peak_mb"] * 1e6 / 2**30 for row in rows if "peak_mb" in row]
    content = {
        "samples": samples,
        "rows": rows,
        "largest_peak_gib": max(peaks, default=None),
        "targets": {f"peak of every metric <= {LIMIT_GIB:g} GiB": all(peak <= LIMIT_GIB for peak in peaks)},
    }
    print(f"wrote {record.write(out, content)}")
    show(content)


def show(content: dict) -> None:
    """Prints the table."""
    table = rich.table.Table("images", "metric", "seconds", "before, MB", "peak, MB", "")
    for row in content["rows"]:
        numbers = [f"{row[key]:,.1f}" if key in row else "" for key in ("seconds", "resident_mb", "peak_mb")]
        table.add_row("x".join(map(str, row["image_shape"])), row["metric"], *numbers, row.get("reason", ""))
    console = rich.console.Console()
    console.print(table)
    for target, met in content["targets"].items():
        console.print(f"{target}: {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    typer.run(main)
