"""Estimates how training scales over devices from measured constants and published bandwidths.

    python -m benchmarks.scaling                    measures (a minute), estimates and writes the table of the docs
    python -m benchmarks.scaling --quiet-machine    states in the result that nothing else was running

    step time(n) = compute / speed + 2 (n - 1) / n * gradient bytes / bandwidth + input
    efficiency(n) = step time(1) / step time(n), at the same batch size for each device

Three constants are measured on the CPU of this machine, for VAE and DCGAN with their default sizes: the seconds of a
step on a batch in memory (compute), the seconds of a batch from the data pipeline (input), and the bytes that replicas
exchange, which are 4 per trainable weight and update in a step. `speed` is the speed of a hypothetical device relative
to this CPU. Writes benchmarks/results/scaling.json, and the table between its marks in docs/scaling.md.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time

import numpy as np
import typer

from benchmarks import record
from keras_gen import data, files, runs, zoo
from keras_gen.models import AdversarialModel, GenerativeModel

from .workers.adversarial_step import repeated

DOC = pathlib.Path(__file__).parents[1] / "docs" / "scaling.md"
MARKS = "<!-- made by python -m benchmarks.scaling -->", "<!-- end -->"
SYSTEMS = ("vae", "dcgan")
DEVICES = (8, 64, 512)
SPEEDS = (1, 100, 1000)
IMAGES = 4096  # number of images in the timed data pipeline


@dataclasses.dataclass(frozen=True)
class Interconnect:
    """A connection between devices.

    Attributes:
        name: Name of the connection.
        gigabytes: Bandwidth in GB/s in one direction, the bottleneck of a ring all-reduce.
        source: Publication of the bandwidth; figures for both directions together are halved.
        devices: Largest number of devices that it connects; more devices need a network.
    """

    name: str
    gigabytes: float
    source: str
    devices: int = max(DEVICES)


_H100 = "NVIDIA H100 Tensor Core GPU datasheet"
_CONNECTX = "NVIDIA ConnectX-6 user manual"
INTERCONNECTS = (
    Interconnect("NVLink 4", 450, f"{_H100}: 900 GB/s, both directions", devices=8),
    Interconnect("PCIe 5.0 x16", 64, f"{_H100}: 128 GB/s, both directions", devices=8),
    Interconnect("InfiniBand HDR, 200 Gb/s", 25, _CONNECTX),
    Interconnect("InfiniBand EDR, 100 Gb/s", 12.5, _CONNECTX),
    Interconnect("Ethernet, 25 Gb/s", 3.125, _CONNECTX),
    Interconnect("Ethernet, 10 Gb/s", 1.25, _CONNECTX),
)


def step_seconds(constants: dict, devices: int, gigabytes: float, speed: float = 1.0) -> float:
    """Returns the seconds of a step by the formula above.

    Args:
        constants: `compute_seconds`, `input_seconds` and `gradient_bytes`.
        devices: Number of devices, >= 1.
        gigabytes: Bandwidth in GB/s, one direction.
        speed: Speed of a device relative to the measured one.
    """
    exchanged = 2 * (devices - 1) / devices * constants["gradient_bytes"]
    return constants["compute_seconds"] / speed + exchanged / (1e9 * gigabytes) + constants["input_seconds"]


def efficiency(constants: dict, devices: int, gigabytes: float, speed: float = 1.0) -> float:
    """Returns images per second of `devices` relative to `devices` times those of one, in (0, 1]."""
    return step_seconds(constants, 1, gigabytes, speed) / step_seconds(constants, devices, gigabytes, speed)


def gradient_bytes(model: GenerativeModel) -> int:
    """Returns the bytes of the float32 gradients that replicas sum in a step."""
    if isinstance(model, AdversarialModel):
        updates_of = [(player.updates, player.variables) for player in model.players()]
    else:
        updates_of = [(1, model.trainable_variables)]
    return 4 * sum(updates * int(np.prod(v.shape)) for updates, variables in updates_of for v in variables)


def measure(key: str, rounds: int, steps: int, settings: dict | None = None, image_size: int | None = None) -> dict:
    """Returns the constants of a system on this machine, medians over the rounds."""
    system = zoo.get(key)
    shape, size = (image_size or system.image_size,) * 2 + (3,), system.batch_size
    model = zoo.build(key, shape, **settings or {})
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), np.uint8)
    compute, reading = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "images.npz"
        np.savez(file, image=images)
        loaded = data.load(file, image_shape=shape, batch_size=size, shuffle=True, drop_remainder=True)
        batches = repeated({"image": images[:size].astype(np.float32) / 255})
        for number in range(rounds + 1):
            start = time.perf_counter()
            model.fit(batches.take(steps), verbose=0)
            middle = time.perf_counter()
            count = sum(1 for _ in loaded)
            if number:  # the first traces, and fills caches
                compute.append((middle - start) / steps)
                reading.append((time.perf_counter() - middle) / count)
    return {
        "image_shape": list(shape),
        "batch_size": size,
        "steps": steps,
        "rounds": rounds,
        "compute_seconds": round(statistics.median(compute), 6),
        "compute_seconds_range": [round(min(compute), 6), round(max(compute), 6)],
        "input_seconds": round(statistics.median(reading), 6),
        "gradient_bytes": gradient_bytes(model),
    }


def estimates(constants: dict[str, dict]) -> list[dict]:
    """Returns the efficiency of every system on every interconnect, for each speed and number of devices."""
    return [
        {
            "system": key,
            "interconnect": wire.name,
            "devices": devices,
            "speed": speed,
            "step_seconds": round(step_seconds(one, devices, wire.gigabytes, speed), 6),
            "efficiency": round(efficiency(one, devices, wire.gigabytes, speed), 4),
        }
        for key, one in constants.items()
        for wire in INTERCONNECTS
        for speed in SPEEDS
        for devices in DEVICES
        if devices <= wire.devices
    ]


def table(constants: dict[str, dict], rows: list[dict], note: str) -> str:
    """Returns the constants and the estimates in Markdown."""
    lines = [
        f"Measured: {note}.",
        "",
        "| system | images of a step and device | compute | input | gradients |",
        "|---|---|---|---|---|",
    ]
    for key, one in constants.items():
        shape = "x".join(map(str, one["image_shape"]))
        lines.append(
            f"| `{key}` | {one['batch_size']} of {shape} | {1e3 * one['compute_seconds']:.1f} ms | "
            f"{1e3 * one['input_seconds']:.2f} ms | {one['gradient_bytes'] / 1e6:.1f} MB |"
        )
    columns = [f"{speed}x: {devices}" for speed in SPEEDS for devices in DEVICES]
    lines += ["", "Estimated efficiency; `100x: 64` is 64 devices, each 100 times as fast as this CPU:", ""]
    lines += [f"| system | interconnect | {' | '.join(columns)} |", "|" + "---|" * (2 + len(columns))]
    for key in constants:
        for wire in INTERCONNECTS:
            efficiencies = {
                (row["speed"], row["devices"]): f"{100 * row['efficiency']:.0f} %"
                for row in rows
                if (row["system"], row["interconnect"]) == (key, wire.name)
            }
            cells = [efficiencies.get((speed, devices), "") for speed in SPEEDS for devices in DEVICES]
            lines.append(f"| `{key}` | {wire.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_between_marks(text: str, content: str) -> str:
    """Returns the text with the part between `MARKS` replaced."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}\n\n{content}\n\n{MARKS[1]}{rest.split(MARKS[1], 1)[1]}"


def document(content: dict) -> str:
    """Returns the text between the marks of docs/scaling.md, from the content of scaling.json."""
    shared = ", which other programs used at the same time" if content["machine_was_shared"] else ""
    return table(content["systems"], content["estimates"], f"{content['date']}, {content['hardware']}{shared}")


def main(
    quiet_machine: bool = typer.Option(False, help="no other program runs on this machine"),
    rounds: int = typer.Option(5, min=1),
    steps: int = typer.Option(8, min=1, help="steps in a round"),
):
    """Estimates the scaling of VAE and DCGAN."""
    constants = {key: measure(key, rounds, steps) for key in SYSTEMS}
    content = {
        "kind": "estimate",
        "machine_was_shared": not quiet_machine,
        "systems": constants,
        "interconnects": [dataclasses.asdict(wire) for wire in INTERCONNECTS],
        "estimates": estimates(constants),
    }
    lines = document(runs.read_json(record.write("scaling", content)))
    print(lines)
    files.write_text(DOC, write_between_marks(DOC.read_text(), lines))


if __name__ == "__main__":
    typer.run(main)
