"""A ring of 8 and a grid of 25 Gaussians: modes covered and high-quality points, by objective, penalty and packing.

    python -m benchmarks.gaussians

Every method trains the same networks with the same number of steps and batch size, on new points in every update;
WGAN-GP updates its critic twice per step. Each run uses one core. Writes benchmarks/results/gaussians.json and
benchmarks/results/pictures/gaussians.png.
"""

import concurrent.futures
import dataclasses
import itertools
import multiprocessing
import statistics
import time
from typing import Any, NamedTuple

import keras
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer

from benchmarks import record
from keras_gen import models, networks
from keras_gen.distributions import gaussian_grid, gaussian_ring
from keras_gen.evaluation.metrics.pairwise import squared_distances

MIXTURES = {"ring": gaussian_ring, "grid": gaussian_grid}
# penalties have the units of images in [-1, 1]; in the coordinates of the points, WGAN-GP has a weight of 1 and a
# target of 1, and R1 a gamma of 0.1
METHODS: dict[str, dict[str, Any]] = {
    "minimax": {"objective": "minimax"},
    "non-saturating": {"objective": "non_saturating"},
    "WGAN-GP": {
        "objective": "wasserstein",
        "penalty": {"name": "wgan_gp", "weight": 4.0, "target": 0.5},
        "n_critic": 2,
    },
    "R1": {"objective": "non_saturating", "penalty": {"name": "r1", "gamma": 0.4}},
    "packing 2": {"objective": "non_saturating", "packing": 2},
}
BETA_2 = {"WGAN-GP": 0.9}  # as in its paper; the others use 0.999
POINTS, POINTS_SEED = 2500, 5


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of all runs. The learning rate falls to 0 with a cosine schedule; `batch_size` is that of one update."""

    steps: int = 5000
    batch_size: int = 128
    learning_rate: float = 1e-3
    beta_1: float = 0.5
    latent_size: int = 2
    hidden: tuple[int, ...] = (128, 128, 128)
    steps_per_execution: int = 100


def points_of(mixture, batch_size: int, steps: int, seed: int) -> tf.data.Dataset:
    """Returns `steps` batches of fresh points of a mixture, {"image": float32 [batch_size, 2]}."""
    sample = lambda step: {"image": mixture.sample(batch_size, seed=tf.stack([seed, tf.cast(step, tf.int32)]))}  # noqa: E731
    return tf.data.Dataset.range(steps).map(sample).prefetch(1)


def build(method: str, settings: Settings, seed: int) -> models.GAN:
    """Returns the compiled GAN of a method on 2D points, without a moving average so that its last step is measured."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    options = METHODS[method]
    model = models.GAN(
        networks.mlp_generator(settings.latent_size, (2,), hidden_units=settings.hidden),
        networks.mlp_discriminator(
            (2,), hidden_units=settings.hidden, activation="leaky_relu", packing=options.get("packing", 1)
        ),
        ema=None,
        seed=seed,
        **options,
    )
    model.checks_range = False  # 2D points
    updates = {"discriminator": options.get("n_critic", 1), "generator": 1}
    optimizers = {
        player: keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.steps * count),
            beta_1=settings.beta_1,
            beta_2=BETA_2.get(method, 0.999),
        )
        for player, count in updates.items()
    }
    model.compile(optimizers, steps_per_execution=settings.steps_per_execution)
    return model


def measure(mixture_name: str, method: str, seed: int, settings: Settings) -> tuple[dict, np.ndarray]:
    """Trains a GAN, and returns the coverage of its points and the points [2500, 2]."""
    mixture = MIXTURES[mixture_name]()
    model = build(method, settings, seed)
    start = time.perf_counter()
    model.fit(points_of(mixture, settings.batch_size * model.n_critic, settings.steps, seed), verbose=0)
    seconds = time.perf_counter() - start
    points = model.generate(POINTS, seed=POINTS_SEED, batch_size=POINTS)
    row = {"mixture": mixture_name, "method": method, "seed": seed, **covered(points, mixture)}
    return {**row, "train_seconds": round(seconds, 1)}, points


# a point within this number of standard deviations of a center is of high quality
HIGH_QUALITY_RADIUS = 3.0


class GaussianModes(NamedTuple):
    """The modes of a mixture that a set of points covers.

    Attributes:
        covered: Number of modes with at least one high-quality point.
        high_quality: Fraction of high-quality points, 0 to 1; 1 - exp(-9/2) = 0.989 for the mixture itself.
        counts: high-quality points of each mode, int64 [modes].
    """

    covered: int
    high_quality: float
    counts: np.ndarray


def gaussian_modes(points: np.ndarray, centers: np.ndarray, std: float) -> GaussianModes:
    """Returns the covered modes and the fraction of high-quality points.

    A point is of high quality if it is within three standard deviations of the nearest center. A mode is covered if it
    is the nearest center of at least one such point.

    Args:
        points: [num, dimensions].
        centers: [modes, dimensions], such as `keras_gen.distributions.gaussian_ring().components_distribution.mean()`.
        std: Standard deviation of each Gaussian in each dimension, > 0.

    Returns:
        A GaussianModes.

    Raises:
        ValueError: For points or centers of other shapes, points that are not finite, or std <= 0.

    Reference:
        Srivastava, Valkov, Russell, Gutmann, Sutton 2017, VEEGAN, arXiv:1705.07761, section 5.1.
        Lin, Khetan, Fanti, Oh 2018, PacGAN, arXiv:1712.04086 (2D-ring and 2D-grid).
    """
    points, centers = np.asarray(points), np.asarray(centers)
    if points.ndim != 2 or centers.ndim != 2 or points.shape[1] != centers.shape[1] or 0 in (len(points), len(centers)):
        raise ValueError(f"Expected points and centers [num, dimensions]; received {points.shape} and {centers.shape}")
    if not np.isfinite(points).all():
        raise ValueError("Expected finite points; received NaN or infinity")
    if not std > 0:
        raise ValueError(f"Expected std > 0; received {std}")
    counts = np.zeros(len(centers), np.int64)
    for _, distances in squared_distances(points, centers):
        nearest = distances.argmin(axis=1)
        near = distances.min(axis=1) <= (HIGH_QUALITY_RADIUS * std) ** 2
        counts += np.bincount(nearest[near], minlength=len(centers))
    return GaussianModes(int(np.count_nonzero(counts)), float(counts.sum() / len(points)), counts)


def covered(points: np.ndarray, mixture) -> dict:
    """Returns `modes`, the covered modes, and `high_quality`, the fraction of high-quality points."""
    parts = mixture.components_distribution
    coverage = gaussian_modes(points, parts.mean().numpy(), float(parts.stddev().numpy().max()))
    return {"modes": coverage.covered, "high_quality": round(coverage.high_quality, 4)}


def summary(rows: list[dict]) -> list[dict]:
    """Returns a row for each mixture and method: the numbers of each seed, and their means."""
    table = []
    for mixture, method in itertools.product(MIXTURES, METHODS):
        runs = [row for row in rows if (row["mixture"], row["method"]) == (mixture, method)]
        numbers = {name: [run[name] for run in runs] for name in ("modes", "high_quality")}
        means = {f"{name}_mean": round(statistics.mean(values), 3) for name, values in numbers.items()}
        table.append({"mixture": mixture, "method": method, **numbers, **means})
    return table


def figure(points: dict[tuple[str, str], np.ndarray], modes: dict[tuple[str, str], str]) -> None:
    """Saves scatter plots, a row for each mixture and a column for each method."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    size = (3 * len(METHODS), 3.5 * len(MIXTURES))
    plot, axes = plt.subplots(len(MIXTURES), len(METHODS), figsize=size, layout="constrained")
    for (mixture, method), axis in zip(itertools.product(MIXTURES, METHODS), axes.flat, strict=True):
        centers = MIXTURES[mixture]().components_distribution.mean().numpy()
        limit = 1.35 * np.abs(centers).max()
        axis.scatter(*centers.T, s=140, facecolors="none", edgecolors="tab:orange", linewidths=1)
        axis.scatter(*points[mixture, method].T, s=2, alpha=0.35, color="tab:blue", linewidths=0)
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
        axis.set_title(f"{mixture}, {method}\n{modes[mixture, method]}", fontsize=10)
    plot.savefig(record.RESULTS / "pictures" / "gaussians.png", dpi=80)


def one_thread() -> None:
    """Restricts TensorFlow to one core in this process."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def main(
    seeds: int = typer.Option(3, help="runs of each method, with the seeds 0, 1, ..."),
    steps: int = Settings.steps,
    processes: int = typer.Option(1, help="number of runs at a time, each on a core"),
):
    """Trains every method on both mixtures; writes the table and the figure."""
    settings = Settings(steps=steps)
    planned = [(*run, settings) for run in itertools.product(MIXTURES, METHODS, range(seeds))]
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with concurrent.futures.ProcessPoolExecutor(processes, spawn, one_thread) as pool:
        futures = [pool.submit(measure, *run) for run in planned]
        for future in concurrent.futures.as_completed(futures):
            print(future.result()[0], flush=True)
    results = [future.result() for future in futures]
    rows = [row for row, _ in results]
    table = summary(rows)
    first_points = {(row["mixture"], row["method"]): points for row, points in results if row["seed"] == 0}
    figure(first_points, {
        (row["mixture"], row["method"]): f"{row['modes']} modes, {100 * row['high_quality']:.0f} % near one"
        for row in rows if row["seed"] == 0
    })  # fmt: skip
    data = {
        name: covered(mixture().sample(POINTS, seed=[0, POINTS_SEED]).numpy(), mixture())
        for name, mixture in MIXTURES.items()
    }
    content = {
        "settings": dataclasses.asdict(settings),
        "methods": {name: {**options, "beta_2": BETA_2.get(name, 0.999)} for name, options in METHODS.items()},
        "points": POINTS,
        "seeds": list(range(seeds)),
        "data": data,
        "summary": table,
        "runs": rows,
    }
    print(f"wrote {record.write('gaussians', content)}")
    printed = rich.table.Table("mixture", "method", "modes", "high quality", "modes, mean", "high quality, mean")
    for row in table:
        names = ("mixture", "method", "modes", "high_quality", "modes_mean", "high_quality_mean")
        printed.add_row(*(str(row[name]) for name in names))
    rich.console.Console().print(printed)


if __name__ == "__main__":
    typer.run(main)
