"""How long commands take that need no TensorFlow: CPU seconds, which hardly depend on what else the machine does.

python -m benchmarks.startup                                    measures this checkout as "after"
python -m benchmarks.startup --tree OTHER/CHECKOUT --as before  measures another one beside it
"""

import json
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
    """User and system time of one command, its imports included, with the package of a checkout."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "keras_gen.cli", *arguments]
    subprocess.run(command, env=environment, cwd=tree, capture_output=True)  # -m looks into the current folder first
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(tree: pathlib.Path, repeats: int, commands: dict[str, list[str]] = COMMANDS) -> dict:
    """Command -> median and all values; one run before them fills the caches of the disk."""
    rows = {}
    for name, arguments in commands.items():
        cpu_seconds(arguments, tree)
        values = [cpu_seconds(arguments, tree) for _ in range(repeats)]
        rows[name] = {"median": statistics.median(values), "all": values}
        print(f"{name}: {rows[name]['median']:.2f} CPU seconds", flush=True)
    return rows


def main(tree: pathlib.Path = ROOT, column: str = "after", repeats: int = 7) -> None:
    """Measure a checkout into a column of benchmarks/results/startup.json; other columns stay."""
    file = record.RESULTS / "startup.json"
    kept = json.loads(file.read_text())["cpu_seconds"] if file.exists() else {}
    found = measure(tree.resolve(), repeats)
    print(f"wrote {record.write('startup', {'cpu_seconds': {**kept, column: found}})}")


if __name__ == "__main__":
    typer.run(main)
