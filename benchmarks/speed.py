"""Images per second of a training step compared with peers: interleaved measurements, medians and ratios.

    pip install -r benchmarks/requirements.txt      (or in a separate environment, with --peer-python)
    python -m benchmarks.speed                      a convolutional VAE, 28x28, and pythae
    python -m benchmarks.speed dcgan                a DCGAN, 64x64, and the same networks and losses in PyTorch
    python -m benchmarks.speed cyclegan             a CycleGAN, 64x64, six blocks, one pair at a time, likewise
    python -m benchmarks.speed cyclegan --batch-size 8 --out speed_cyclegan_8
    python -m benchmarks.speed stargan              a StarGAN, 64x64, and the same in PyTorch

Every worker is a process that builds its model and warms up once. Then the workers take turns, round after round, so
that slow minutes of the machine affect all of them. Writes benchmarks/results/speed.json, or speed_MODEL.json.
"""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
from typing import IO, cast

import rich.console
import rich.table
import typer

from benchmarks import record

HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A training step that is timed by a worker of keras_gen and one of a peer, each in several settings."""

    image: str
    batch_size: int
    steps: int
    ours: str
    our_settings: tuple[str, ...]
    peer: str
    peer_worker: str
    peer_settings: tuple[str, ...]
    out: str


# workers are names and not imports: TensorFlow and PyTorch are never loaded in one process
COMPARISONS = {
    "vae": Comparison(
        "28x28x1",
        128,
        40,
        "keras_gen_vae",
        (
            "float32",
            "float32, steps_per_execution=10",
            "float32, XLA",
            "bfloat16",
            "bfloat16, steps_per_execution=10",
        ),
        "pythae",
        "pythae_vae",
        (
            "float32",
            "float32, channels_last",
            "float32, channels_last, 1 thread",
            "float32, channels_last, torch.compile",
            "bfloat16 autocast, channels_last",
        ),
        "speed",
    ),
    "dcgan": Comparison(
        "64x64x3",
        64,
        8,
        "keras_gen_dcgan",
        (
            "float32",
            "float32, plain step",
            "float32, simultaneous",
            "bfloat16",
            "bfloat16, plain step",
            "bfloat16, simultaneous",
        ),
        "torch",
        "torch_dcgan",
        (
            "float32",
            "float32, channels_last",
            "float32, channels_last, 1 thread",
            "float32, channels_last, torch.compile",
            "float32, channels_last, simultaneous",
            "bfloat16 autocast, channels_last",
            "bfloat16 autocast, channels_last, torch.compile",
            "bfloat16 autocast, channels_last, simultaneous",
        ),
        "speed_dcgan",
    ),
    "cyclegan": Comparison(
        "64x64x3",
        1,
        4,
        "keras_gen_cyclegan",
        ("float32", "float32, steps_per_execution=4", "bfloat16"),
        "torch",
        "torch_cyclegan",
        (
            "float32",
            "float32, channels_last",
            "float32, channels_last, one pass each",
            "float32, channels_last, torch.compile",
            "bfloat16 autocast, channels_last",
            "bfloat16 autocast, channels_last, torch.compile",
        ),
        "speed_cyclegan",
    ),
    "stargan": Comparison(
        "64x64x3",
        40,
        2,
        "keras_gen_stargan",
        ("float32", "float32, steps_per_execution=2", "bfloat16"),
        "torch",
        "torch_stargan",
        (
            "float32",
            "float32, channels_last",
            "float32, channels_last, 1 thread",
            "bfloat16 autocast, channels_last",
        ),
        "speed_stargan",
    ),
}


class Worker:
    """A process that answers "run N" with the seconds of N steps; it sleeps between its turns."""

    def __init__(self, name: str, setting: str, command: list[str]):
        self.name, self.setting, self.times = name, setting, []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.stdin, self.stdout = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)
        try:
            self.about = self._read()
        except RuntimeError:
            self.close()
            raise

    def run(self, steps: int) -> float:
        """Returns the seconds of `steps` training steps."""
        self.stdin.write(f"run {steps}\n")
        self.stdin.flush()
        return self._read()["seconds"]

    def _read(self) -> dict:
        line = self.stdout.readline()
        if not line:
            raise RuntimeError(f"The worker {self.name!r} ({self.setting}) ended; run it alone to see its error")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self.stdin.close()
        self.process.wait(timeout=60)
        self.stdout.close()


def same_networks(rows: list[dict]) -> None:
    """Raises an error if a worker has other numbers of weights or multiply-adds than the first one.

    Args:
        rows: Each with `library`, `setting`, `parameters` and, if the workers count them, `multiply_adds`.

    Raises:
        ValueError: With the two workers and both counts.
    """
    for name in ("parameters", "multiply_adds"):
        for row in rows[1:]:
            if row.get(name) != rows[0].get(name):
                raise ValueError(
                    f"Expected the same networks; {name} of {rows[0]['library']} ({rows[0]['setting']}): "
                    f"{rows[0].get(name)}, of {row['library']} ({row['setting']}): {row.get(name)}"
                )


def with_ratios(rows: list[dict], peer: str) -> list[dict]:
    """Returns the rows with their speed relative to the best rows of the peer.

    `ratio_to_best_float32_PEER` is relative to all float32 rows of the peer, and `ratio_to_PEER_alike` to its rows with
    the same precision and the same order of updates (simultaneous or alternating); None if the peer has no such row.
    """

    def kind(row: dict) -> tuple[bool, bool]:
        return "float32" in row["setting"], "simultaneous" in row["setting"]

    def ratio(row: dict, rivals: list[dict]) -> float | None:
        best = min((rival["ms_per_step"] for rival in rivals), default=None)
        return None if best is None else round(best / row["ms_per_step"], 2)

    peers = [row for row in rows if row["library"] == peer]
    return [
        {
            **row,
            f"ratio_to_best_float32_{peer}": ratio(row, [p for p in peers if kind(p)[0]]),
            f"ratio_to_{peer}_alike": ratio(row, [p for p in peers if kind(p) == kind(row)]),
        }
        for row in rows
    ]


def main(
    model: str = typer.Argument("vae", help=f"one of {', '.join(COMPARISONS)}"),
    peer_python: str = typer.Option(sys.executable, help="the Python in which the peers are installed"),
    batch_size: int = typer.Option(0, help="0: the model's own, see COMPARISONS"),
    steps: int = typer.Option(0, help="of one turn; 0: the model's own"),
    rounds: int = 7,
    out: str = typer.Option("", help="name of the result; by default speed, or speed_MODEL"),
):
    """Times a training step with the same networks in both libraries."""
    if model not in COMPARISONS:
        raise typer.BadParameter(f"expected one of {', '.join(COMPARISONS)}; received {model!r}")
    what = COMPARISONS[model]
    batch_size, steps = batch_size or what.batch_size, steps or what.steps
    ours = [sys.executable, "-m", f"benchmarks.workers.{what.ours}"]
    theirs = [peer_python, str(HERE / "workers" / f"{what.peer_worker}.py")]
    settings = [("keras_gen", ours, setting) for setting in what.our_settings]
    settings += [(what.peer, theirs, setting) for setting in what.peer_settings]
    alive = []
    for library, command, setting in settings:
        try:
            worker = Worker(library, setting, [*command, setting, str(batch_size)])
            worker.run(steps)  # traces, compiles, fills caches
            alive.append(worker)
        except RuntimeError as error:
            print(f"left out: {error}")
    # before the long measurement
    same_networks([{"library": w.name, "setting": w.setting, **w.about} for w in alive])
    for _ in range(rounds):
        for worker in alive:
            worker.times.append(worker.run(steps) / steps)
    rows = [
        {
            "library": w.name,
            "setting": w.setting,
            "ms_per_step": round(1e3 * statistics.median(w.times), 2),
            "images_per_second": round(batch_size / statistics.median(w.times), 1),
            "ms_per_step_range": [round(1e3 * min(w.times), 2), round(1e3 * max(w.times), 2)],
            **w.about,
        }
        for w in alive
    ]
    for worker in alive:
        worker.close()
    rows = with_ratios(rows, what.peer)
    content = {"batch_size": batch_size, "image": what.image, "steps": steps, "rounds": rounds, "rows": rows}
    print(f"wrote {record.write(out or what.out, content)}")
    best, alike = f"ratio_to_best_float32_{what.peer}", f"ratio_to_{what.peer}_alike"
    table = rich.table.Table("library", "setting", "ms / step", "images / s", f"of {what.peer}'s float32", "of alike")
    for row in rows:
        numbers = (row[name] for name in ("ms_per_step", "images_per_second", best, alike))
        table.add_row(row["library"], row["setting"], *(str(number) for number in numbers))
    rich.console.Console().print(table)


if __name__ == "__main__":
    typer.run(main)
