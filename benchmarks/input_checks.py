"""The cost of the checks of images in a training step: the same model with and without them, interleaved.

    python -m benchmarks.input_checks               vae, 28x28x1, batches of 128; dcgan, 64x64x3, batches of 64

Three models take turns, in a different order in every round: one with checks, and two without, whose ratio to each
other is the resolution of the measurement. Next to the ratios are the timings of the check alone, in three forms: the
smallest and the largest value (the form in use), the largest distance from 1/2, and every single value. Writes
benchmarks/results/input_checks.json.
"""

import statistics
import time
from typing import Any

import keras
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer

from benchmarks import record
from keras_gen import zoo
from keras_gen.models.core.graph_checks import between
from keras_gen.models.core.inputs import TOLERANCE

# system -> shape of its images, examples in a batch, steps in a turn
SYSTEMS = {"vae": ((28, 28, 1), 128, 20), "dcgan": ((64, 64, 3), 64, 2)}
VARIANTS = ("checked", "unchecked", "unchecked again")
MAX_RATIO = 1.01  # to the step without checks
SEED = 0

FORMS = {
    "smallest and largest": lambda x: between("images", "image", x, -TOLERANCE, 1 + TOLERANCE)[0, 0, 0, 0],
    "largest distance from 1/2": lambda x: tf.reduce_max(tf.abs(x - 0.5)) <= 0.5 + TOLERANCE,
    "every value": lambda x: tf.reduce_all(tf.abs(x - 0.5) <= 0.5 + TOLERANCE),
}


def batch_of(shape: tuple[int, int, int], size: int) -> np.ndarray:
    """Returns uniform noise, float32 [size, *shape] in [0, 1)."""
    return np.random.default_rng(SEED).random((size, *shape), np.float32)


def turns(system: str, settings: dict, shape, batch_size: int, steps: int, rounds: int) -> dict[str, list[dict]]:
    """Returns {variant: a row for each round}: seconds of a step, by the clock and of all threads together."""
    data = tf.data.Dataset.from_tensors({"image": batch_of(shape, batch_size)}).repeat(steps)
    models = {}
    for variant in VARIANTS:
        keras.utils.set_random_seed(SEED)
        models[variant] = zoo.build(system, shape, seed=SEED, **settings)
        models[variant].checks_range = variant == "checked"
        models[variant].fit(data, verbose=0)  # traces
    rows = {variant: [] for variant in VARIANTS}
    for index in range(rounds):
        order = VARIANTS[index % 3 :] + VARIANTS[: index % 3]
        for variant in order if index % 2 else order[::-1]:
            start, cpu = time.perf_counter(), time.process_time()
            models[variant].fit(data, verbose=0)
            spent = time.perf_counter() - start, time.process_time() - cpu
            rows[variant].append({"seconds": spent[0] / steps, "cpu_seconds": spent[1] / steps})
    return rows


def alone(shape: tuple[int, int, int], batch_size: int, times: int) -> dict[str, float]:
    """Returns milliseconds of each form on a batch, median of `times`, minus those of an empty graph."""
    images = tf.constant(batch_of(shape, batch_size))
    graphs = {name: tf.function(form) for name, form in FORMS.items()} | {"": tf.function(lambda x: x[0, 0, 0, 0])}
    timings = {name: [] for name in graphs}
    for _ in range(times + 1):  # the first traces
        for name, graph in graphs.items():
            start = time.perf_counter()
            graph(images).numpy()
            timings[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(values[1:]) for name, values in timings.items()}
    return {name: medians[name] - medians[""] for name in FORMS}


def summarize(rows: dict[str, list[dict]], check_ms: dict[str, float]) -> dict:
    """Returns medians, and the ratios of each round with their quartiles."""
    summary: dict[str, Any] = {"check_alone_ms": check_ms}
    for clock in ("seconds", "cpu_seconds"):
        base = [row[clock] for row in rows["unchecked"]]
        summary[f"step_{clock}"] = statistics.median(base)
        for variant in ("checked", "unchecked again"):
            ratios = [row[clock] / other for row, other in zip(rows[variant], base, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            key = f"{variant.replace(' ', '_')}_{clock}_ratio"
            summary[key] = {"median": middle, "quartiles": [low, high]}
    summary["check_share_of_step"] = check_ms["smallest and largest"] / 1e3 / summary["step_seconds"]
    return summary


def measure(system: str, rounds: int, settings: dict | None = None, **sizes: Any) -> dict:
    """Returns the summary of a system; `sizes` replace those of `SYSTEMS`."""
    shape, batch_size, steps = SYSTEMS[system]
    sizes = {"shape": shape, "batch_size": batch_size, "steps": steps} | sizes
    rows = turns(system, settings or {}, rounds=rounds, **sizes)
    check_ms = alone(sizes["shape"], sizes["batch_size"], times=20 * rounds)
    return {"system": system, **sizes, "rounds": rounds, **summarize(rows, check_ms)}


def main(rounds: int = 30, out: str = "input_checks") -> None:
    """Measures all systems."""
    rows = [measure(system, rounds) for system in SYSTEMS]
    content = {
        "seed": SEED,
        "rows": rows,
        "targets": {
            f"{row['system']}: a checked step takes <= {MAX_RATIO} of an unchecked one (median, CPU time)": (
                row["checked_cpu_seconds_ratio"]["median"] <= MAX_RATIO
            )
            for row in rows
        },
    }
    print(f"wrote {record.write(out, content)}")
    show(content)


def show(content: dict) -> None:
    """Prints the table."""
    columns = ("system", "step, ms", "check alone, ms", "share", "checked / unchecked", "unchecked / unchecked")
    table = rich.table.Table(*columns)
    for row in content["rows"]:
        ratios = [row[f"{name}_cpu_seconds_ratio"] for name in ("checked", "unchecked_again")]
        table.add_row(
            row["system"],
            f"{1e3 * row['step_seconds']:.1f}",
            ", ".join(f"{value:.3f}" for value in row["check_alone_ms"].values()),
            f"{row['check_share_of_step']:.2%}",
            *(f"{r['median']:.4f} ({r['quartiles'][0]:.4f} to {r['quartiles'][1]:.4f})" for r in ratios),
        )
    console = rich.console.Console()
    console.print(table)
    for target, met in content["targets"].items():
        console.print(f"{target}: {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    typer.run(main)
