"""Images per second of a training step, beside peers: interleaved, one process tree, medians and ratios.

    pip install -r benchmarks/requirements.txt      (or in an environment of its own, with --peer-python)
    python -m benchmarks.speed

Every worker is a process that builds its model and warms up once; then each takes its turn, round after round, so
that a slow minute of the machine falls on all. Writes benchmarks/results/speed.json.
"""

import json
import pathlib
import statistics
import subprocess
import sys

import rich.console
import rich.table
import typer

from . import record

HERE = pathlib.Path(__file__).parent
# the workers are named here and not imported: TensorFlow and PyTorch never meet in one process
KERAS_GEN = (
    "float32",
    "float32, steps_per_execution=10",
    "float32, XLA",
    "bfloat16",
    "bfloat16, steps_per_execution=10",
)
PYTHAE = (
    "float32",
    "float32, channels_last",
    "float32, channels_last, 1 thread",
    "float32, channels_last, torch.compile",
    "bfloat16 autocast, channels_last",
)


class Worker:
    """A process that answers "run N" with seconds; it sleeps between its turns."""

    def __init__(self, name: str, setting: str, command: list[str]):
        self.name, self.setting, self.times = name, setting, []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.about = self._read()

    def run(self, steps: int) -> float:
        """Seconds of `steps` training steps."""
        self.process.stdin.write(f"run {steps}\n")
        self.process.stdin.flush()
        return self._read()["seconds"]

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker {self.name!r} ({self.setting}) stopped; run it alone to see why")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


def main(
    peer_python: str = typer.Option(sys.executable, help="the Python in which the peers are installed"),
    batch_size: int = 128,
    steps: int = 40,
    rounds: int = 7,
    out: str = "speed",
):
    """Time a conv VAE step, 28x28, the same networks on both sides."""
    workers = [
        Worker(
            "keras_gen", setting, [sys.executable, "-m", "benchmarks.workers.keras_gen_vae", setting, str(batch_size)]
        )
        for setting in KERAS_GEN
    ] + [
        Worker("pythae", setting, [peer_python, str(HERE / "workers" / "pythae_vae.py"), setting, str(batch_size)])
        for setting in PYTHAE
    ]
    alive = []
    for worker in workers:
        try:
            worker.run(max(20, steps))  # traces, compiles, fills caches
            alive.append(worker)
        except RuntimeError as error:
            print(f"left out: {error}")
    for _ in range(rounds):
        for worker in alive:
            worker.times.append(worker.run(steps) / steps)
    rows = [
        {
            "library": w.name,
            "setting": w.setting,
            "ms_per_step": round(1e3 * statistics.median(w.times), 2),
            "images_per_second": round(batch_size / statistics.median(w.times)),
            "ms_per_step_range": [round(1e3 * min(w.times), 2), round(1e3 * max(w.times), 2)],
            **w.about,
        }
        for w in alive
    ]
    for worker in alive:
        worker.close()
    best = max(r["images_per_second"] for r in rows if r["library"] == "pythae" and "float32" in r["setting"])
    for row in rows:
        row["ratio_to_best_float32_pythae"] = round(row["images_per_second"] / best, 2)
    content = {"batch_size": batch_size, "image": "28x28x1", "steps": steps, "rounds": rounds, "rows": rows}
    print(f"wrote {record.write(out, content)}")
    table = rich.table.Table("library", "setting", "ms / step", "images / s", "ratio")
    for row in rows:
        ratio = f"{row['ratio_to_best_float32_pythae']:.2f}"
        table.add_row(row["library"], row["setting"], f"{row['ms_per_step']}", f"{row['images_per_second']}", ratio)
    rich.console.Console().print(table)


if __name__ == "__main__":
    typer.run(main)
