"""Exports runs in every precision and tabulates size, errors, latency and memory of every endpoint.

    python -m export.zoo runs/vae runs/autoencoder --out export_table.md

Each number is measured on the exported folder: errors by the export, latency and peak memory in a new process
of the runtime without TensorFlow. The batch is 1, and the latency is the median of the repeats.
"""

import json
import pathlib
import subprocess
import sys
from typing import Annotated

import typer

from keras_gen.export import PRECISIONS, export, parity_rows, read_parity
from keras_gen.runs import Run, write_json

THREADS = (1, 2)
# int8 first: it becomes model.tflite, which the runtime opens by default
ORDER = ("int8", *(precision for precision in PRECISIONS if precision != "int8"))
COLUMNS = (
    "run", "endpoint", "precision", "kB", "max error", "mean error", "ms, 1 thread", "ms, 2 threads", "peak MB",
    "operations",
)  # fmt: skip


def rows_of(run: Run, folder: pathlib.Path, repeats: int) -> list[dict]:
    """Returns one row for each endpoint and precision of an export folder.

    Args:
        run: the run that was exported.
        folder: its export folder.
        repeats: timed calls of each endpoint, precision and number of threads.

    Returns:
        dicts with `run`, `system`, `endpoint`, `output` (the endpoint's first), `precision`, `bytes`, `max`, `mean`,
        `within` (the bound, for images), `ms` {threads: median milliseconds}, `peak_mb` (one thread), `operations`.
    """
    parity = read_parity(folder)
    first = {}
    for row in parity_rows(parity):
        first.setdefault((row["endpoint"], row["precision"]), row)
    rows = []
    for (endpoint, precision), row in sorted(first.items(), key=lambda item: item[0][0]):
        measured = {threads: measure(folder, endpoint, precision, threads, repeats) for threads in THREADS}
        rows.append(
            {
                "run": run.path.name,
                "system": run.config["system"],
                **{key: row[key] for key in ("endpoint", "output", "precision", "bytes", "max", "mean", "within")},
                "ms": {str(threads): measured[threads]["median_ms"] for threads in THREADS},
                "peak_mb": measured[1]["peak_mb"],
                "operations": parity["files"][precision]["operations"][endpoint],
            }
        )
    return rows


def measure(folder: pathlib.Path, endpoint: str, precision: str, threads: int, repeats: int) -> dict:
    """Runs `python runtime measure` of an export in a separate process.

    Args:
        folder: the export folder.
        endpoint: name of the endpoint.
        precision: precision of the TFLite file.
        threads: threads of the interpreter.
        repeats: timed calls.

    Returns:
        `median_ms`, `fastest_ms`, `first_ms` and `peak_mb`.

    Raises:
        RuntimeError: if the process fails.
    """
    command = [sys.executable, "-P", str(folder / "runtime"), "--precision", precision, "--threads", str(threads)]
    command += ["measure", endpoint, "--repeats", str(repeats)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(
            f"Expected measurements of {endpoint} in {precision}; received the error {process.stderr.strip()[-500:]}"
        )
    return json.loads(process.stdout)


def cells(row: dict) -> list[str]:
    """Formats a row: one string for each of `COLUMNS`."""
    operations = " ".join(f"{name}*{count}" if count > 1 else name for name, count in row["operations"].items())
    peak = "-" if row["peak_mb"] is None else f"{row['peak_mb']:.0f}"
    return [
        row["run"], row["endpoint"], row["precision"], f"{row['bytes'] / 1e3:.1f}", f"{row['max']:.1e}",
        f"{row['mean']:.1e}", *(f"{row['ms'][str(threads)]:.3f}" for threads in THREADS), peak, operations,
    ]  # fmt: skip


def markdown(rows: list[dict]) -> str:
    """Formats rows as a Markdown table."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *(cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main(
    runs: Annotated[list[pathlib.Path], typer.Argument(help="run directories")],
    out: Annotated[pathlib.Path | None, typer.Option(help="write the table to a .md or .json file")] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="timed calls of each endpoint, precision and number of threads")
    ] = 50,
) -> None:
    """Exports runs in every precision and writes one table."""
    if out is not None and out.suffix not in (".md", ".json"):
        raise typer.BadParameter(f"Expected --out as a .md or .json file; received {out}")
    opened = [Run.open(path) for path in runs]
    rows = []
    for run in opened:
        folder = export(run, format=("tflite", "saved_model"), quantize=ORDER)
        rows += rows_of(run, folder, repeats)
    if out is not None and out.suffix == ".json":
        write_json(out, {"repeats": repeats, "rows": rows})
    elif out is not None:
        out.write_text(markdown(rows))
    print(markdown(rows))


if __name__ == "__main__":
    typer.run(main)
