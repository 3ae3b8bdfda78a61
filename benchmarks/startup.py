"""CPU seconds of commands that need no TensorFlow; they hardly depend on the load of the machine.

python -m benchmarks.startup                                    measures this checkout as "after"
python -m benchmarks.startup --tree OTHER/CHECKOUT --as before  measures another one
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence

import typer

from benchmarks import record

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = {
    "zoo": ["zoo"],
    "zoo vae": ["zoo", "vae"],
    "data shapes": ["data", "shapes"],
    "train vae --data no/such/folder": ["train", "vae", "--data", "no/such/folder"],
    "train vae --set depth=3": ["train", "vae", "--set", "depth=3"],
}


def cpu_seconds(arguments: Sequence[str], tree: pathlib.Path) -> float:
    """Returns user and system time of one command, including its imports, with the package of a checkout."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "keras_gen.cli", *arguments]
    subprocess.run(command, env=environment, cwd=tree, capture_output=True)  # -m searches the current folder first
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(tree: pathlib.Path, repeats: int, commands: dict[str, list[str]] = COMMANDS) -> dict:
    """Returns {command: median and all values}, after a first run that fills the caches of the disk."""
    rows = {}
    for name, arguments in commands.items():
        cpu_seconds(arguments, tree)
        values = [cpu_seconds(arguments, tree) for _ in range(repeats)]
        rows[name] = {"median": statistics.median(values), "all": values}
        print(f"{name}: {rows[name]['median']:.2f} CPU seconds", flush=True)
    return rows


def main(tree: pathlib.Path = ROOT, column: str = "after", repeats: int = 7) -> None:
    """Measures a checkout into a column of benchmarks/results/startup.json; other columns remain."""
    columns = record.read("startup").get("cpu_seconds", {}) | {column: measure(tree.resolve(), repeats)}
    print(f"wrote {record.write('startup', {'cpu_seconds': columns})}")


if __name__ == "__main__":
    typer.run(main)
