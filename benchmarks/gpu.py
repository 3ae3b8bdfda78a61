"""Training steps of VAE, DCGAN and ProGAN in float32, mixed_bfloat16 and with XLA, on the GPU if there is one.

    python -m benchmarks.gpu                        all three, next to PyTorch where it is installed
    python -m benchmarks.gpu --only dcgan --peer-python /path/to/python
    python -m benchmarks.gpu --smoke                tiny networks and batches: whether it runs, in under a minute

Every setting is built and warmed up once; then the settings are timed in turns, round after round, so that slow minutes
of the machine affect all of them. Peers with the same networks and losses run in separate processes: pythae's VAE and
the PyTorch DCGAN of benchmarks/workers. ProGAN has no peer. A peer keeps its batch on the device; keras_gen copies it
to the device in every step. Writes benchmarks/results/gpu.json (gpu_smoke.json).

The project has no GPU: GPU numbers are not measured, and on a CPU the result says so.
"""

import dataclasses
import pathlib
import statistics
import sys
import time

import keras
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer

from benchmarks import record
from keras_gen import zoo

from .speed import Worker, same_networks, with_ratios
from .workers.adversarial_step import repeated

HERE = pathlib.Path(__file__).parent
# setting -> dtype policy, XLA
SETTINGS = {
    "float32": ("float32", False),
    "float32, XLA": ("float32", True),
    "mixed_bfloat16": ("mixed_bfloat16", False),
    "mixed_bfloat16, XLA": ("mixed_bfloat16", True),
}


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a measurement: the shape of a batch, a system's settings, and the number of steps in a turn."""

    image_shape: tuple[int, int, int]
    batch_size: int
    steps: int
    settings: dict


@dataclasses.dataclass(frozen=True)
class Case:
    """A system at full size and at the size of a smoke test, and the peer at full size: (library, worker, settings)."""

    size: Size
    smoke: Size
    peer: tuple[str, str, tuple[str, ...]] | None = None


CASES = {
    "vae": Case(
        Size((28, 28, 1), 128, 40, {"head": "bernoulli"}),
        Size((8, 8, 1), 4, 2, {"network": "mlp", "hidden_units": 8, "latent_size": 2}),
        (
            "pythae",
            "pythae_vae",
            (
                "float32, channels_last",
                "float32, channels_last, torch.compile",
                "bfloat16 autocast, channels_last",
            ),
        ),
    ),
    "dcgan": Case(
        Size((64, 64, 3), 64, 8, {"latent_size": 100, "base_filters": 64, "upsampling": "transposed", "ema": None}),
        Size((8, 8, 3), 4, 2, {"latent_size": 3, "base_filters": 4, "upsampling": "transposed"}),
        (
            "torch",
            "torch_dcgan",
            (
                "float32, channels_last",
                "float32, channels_last, torch.compile",
                "bfloat16 autocast, channels_last",
                "bfloat16 autocast, channels_last, torch.compile",
            ),
        ),
    ),
    # all layers from the start, since training spends most of its time in the last phase
    "progan": Case(
        Size((64, 64, 3), 16, 8, {"start_resolution": 64}),
        Size((8, 8, 3), 4, 2, {"latent_size": 3, "base_filters": 4, "group_size": 2, "start_resolution": 8}),
    ),
}


class LocalModel:
    """A model of the zoo in one setting; `run` trains it with `fit` on a repeated batch."""

    library = "keras_gen"

    def __init__(self, system: str, setting: str, size: Size, seed: int):
        self.setting, self.times = setting, []
        policy, xla = SETTINGS[setting]
        former = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            self.model = zoo.build(system, size.image_shape, seed=seed, **size.settings)
        finally:
            keras.config.set_dtype_policy(former)
        self.model.compile_from_config({**self.model.get_compile_config(), "jit_compile": xla})
        images = np.random.default_rng(seed).random((size.batch_size, *size.image_shape), np.float32)
        self.dataset = repeated({"image": images})
        self.parameters = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)

    def run(self, steps: int) -> float:
        """Returns the seconds of `steps` training steps."""
        start = time.perf_counter()
        self.model.fit(self.dataset.take(steps), verbose=0)
        return time.perf_counter() - start

    def close(self) -> None:
        """Does nothing: the model is in this process."""


class Peer(Worker):
    """A worker of another library in a separate process."""

    def __init__(self, library: str, setting: str, command: list[str]):
        super().__init__(library, setting, command)
        self.library = library
        counts = self.about["parameters"]
        self.parameters = sum(counts.values()) if isinstance(counts, dict) else counts


def devices() -> list[str]:
    """Returns the names of TensorFlow's GPUs, or `["CPU"]`; GPUs are then shared with the processes of peers."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus] or ["CPU"]


def measure(system: str, size: Size, peer, peer_python: str, rounds: int, seed: int) -> tuple[list[dict], dict]:
    """Times all settings of a system in turns.

    Returns:
        One row per setting, and {setting that could not run: reason}.
    """
    candidates = [("keras_gen", setting, lambda s=setting: LocalModel(system, s, size, seed)) for setting in SETTINGS]
    for setting in peer[2] if peer else ():
        command = [peer_python, str(HERE / "workers" / f"{peer[1]}.py"), setting, str(size.batch_size)]
        candidates.append((peer[0], setting, lambda s=setting, c=command: Peer(peer[0], s, c)))
    runners, left_out = [], {}
    for library, setting, create in candidates:
        try:
            runner = create()
            runner.run(size.steps)  # traces, compiles, fills caches
            runners.append(runner)
        except Exception as error:  # this machine lacks a library or a compiler: the others are measured
            left_out[f"{library}, {setting}"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    for round_number in range(rounds + 1):
        for runner in runners:
            seconds = runner.run(size.steps)
            # in round 0, Keras traces graphs again that it had traced before a later model was built
            if round_number:
                runner.times.append(seconds / size.steps)
    rows = [
        {
            "system": system,
            "library": runner.library,
            "setting": runner.setting,
            "ms_per_step": round(1e3 * statistics.median(runner.times), 3),
            "images_per_second": round(size.batch_size / statistics.median(runner.times), 1),
            "ms_per_step_range": [round(1e3 * min(runner.times), 3), round(1e3 * max(runner.times), 3)],
            "parameters": runner.parameters,
        }
        for runner in runners
    ]
    for runner in runners:
        runner.close()
    if peer:
        same_networks(rows)
        rows = with_ratios(rows, peer[0])
    plain = next((row["ms_per_step"] for row in rows if row["setting"] == "float32"), None)
    for row in rows:
        if plain and row["library"] == "keras_gen":
            row["ratio_to_float32"] = round(plain / row["ms_per_step"], 2)
    return rows, left_out


def main(
    only: str = typer.Option("", help=f"one of {', '.join(CASES)}; by default all"),
    smoke: bool = typer.Option(False, help="tiny networks and batches, without peers"),
    peer_python: str = typer.Option(sys.executable, help="the Python in which PyTorch is installed"),
    rounds: int = typer.Option(7, min=1),
    seed: int = 1,
    out: str = typer.Option("", help="name of the result; by default gpu, or gpu_smoke"),
):
    """Times training steps on the GPU, or on the CPU without a GPU."""
    if only and only not in CASES:
        raise typer.BadParameter(f"expected one of {', '.join(CASES)}; received {only!r}")
    names = devices()
    rows, left_out = [], {}
    for system in [only] if only else CASES:
        case = CASES[system]
        size, peer = (case.smoke, None) if smoke else (case.size, case.peer)
        more, missing = measure(system, size, peer, peer_python, rounds, seed)
        rows, left_out = [*rows, *more], left_out | {f"{system}: {name}": why for name, why in missing.items()}
    content = {
        "devices": names,
        "gpu_measured": names != ["CPU"],
        "smoke": smoke,
        "seed": seed,
        "rounds": rounds,
        "sizes": {name: dataclasses.asdict(case.smoke if smoke else case.size) for name, case in CASES.items()},
        "peers": {name: case.peer and case.peer[0] for name, case in CASES.items()},
        "left_out": left_out,
        "rows": rows,
    }
    print(f"wrote {record.write(out or ('gpu_smoke' if smoke else 'gpu'), content)}")
    table = rich.table.Table("system", "library", "setting", "ms / step", "images / s", "of own float32", "of the peer")
    for row in rows:
        ratio = next((value for name, value in row.items() if name.endswith("_alike")), None)
        cells = (row["ms_per_step"], row["images_per_second"], row.get("ratio_to_float32"), ratio)
        table.add_row(row["system"], row["library"], row["setting"], *("" if c is None else str(c) for c in cells))
    rich.console.Console().print(table)
    for name, why in left_out.items():
        print(f"left out: {name}: {why}")
    if names == ["CPU"]:
        print("No GPU was found: these are timings of the CPU, and GPU speed is not measured.")


if __name__ == "__main__":
    typer.run(main)
