"""Samples of two runs side by side with the data, for example of an autoencoder and a VAE."""

import os
import pathlib

from rich.console import Console
from rich.table import Table

from keras_gen import pictures, runs, zoo

from .context import EvaluationContext, choose_split
from .evaluators.samples import real_images, sample_metrics
from .report import format_value, headline

NUM_PICTURED = 64


def compare(
    run_a: runs.Run | str | os.PathLike,
    run_b: runs.Run | str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    samples: int = 1000,
    batch_size: int = 128,
    seed: int = 0,
    split: str | None = None,
    verbose: bool = True,
) -> dict:
    """Shows samples of two runs next to real images, with their distances to the data.

    Both runs are compared with the same real images, which come from the first run's data.

    Args:
        run_a: the first run, or its directory.
        run_b: the second run, on the same data.
        out: an image file; None writes `evaluation/compare_<name of run_b>.png` in run_a, with a number appended where
            that file belongs to a different run of the same name. The numbers are written next to it, as .json.
        samples: generated images of each run, compared with as many real ones.
        batch_size: images per batch.
        seed: seed of the samples and of the choice of real images.
        split: as in `evaluate`; None is the default of the first run.
        verbose: print a table.

    Returns:
        {"runs": {name: {"path", "system", "metrics"}}, "about": {metric: dict}, "picture": path, "seed", "split"}.

    Raises:
        ValueError: for runs with images of different shape or different data.

    Example:
        >>> keras_gen.evaluation.compare("runs/autoencoder", "runs/vae")  # doctest: +SKIP
    """
    first, second = (run if isinstance(run, runs.Run) else runs.Run.open(run) for run in (run_a, run_b))
    for name, values in (
        ("image shape", (first.image_shape, second.image_shape)),
        ("data", (first.config["data"]["source"], second.config["data"]["source"])),
    ):
        if values[0] != values[1]:
            raise ValueError(
                f"Expected two runs with the same {name}; received {first.path} with {values[0]} and {second.path} "
                f"with {values[1]}"
            )
    picture_file = pathlib.Path(out) if out else _picture_file(first, second)
    split = choose_split(first, split)
    contexts = [
        EvaluationContext(run, split=split, seed=seed, batch_size=batch_size, samples=samples)
        for run in (first, second)
    ]
    real = real_images(contexts[0])
    panels, results, about, score = {}, {}, {}, {}
    for context in contexts:
        metrics, about = sample_metrics(context, real)
        score = headline(metrics, about) or {}
        title = zoo.SYSTEMS[system].title if (system := context.run.config["system"]) in zoo.SYSTEMS else system
        name = _unique_name(f"{context.run.path.name} ({title})", results)
        panels[f"{name}: {format_value(score['value'], {})}"] = pictures.grid(
            context.generated_images[:NUM_PICTURED], columns=8, scale=context.zoom
        )
        results[name] = {"path": str(context.run.path), "system": system, "metrics": metrics}
    floor = format_value(score["floor"], {})
    panels[f"{split} images; {score['metric']} of other real images: {floor}"] = pictures.grid(
        real.reference[:NUM_PICTURED], columns=8, scale=contexts[0].zoom
    )
    pictures.save(picture_file, pictures.hstack(panels))
    content = {"runs": results, "about": about, "picture": str(picture_file), "seed": seed, "split": split}
    runs.write_json(picture_file.with_suffix(".json"), content)
    if verbose:
        _print(content)
    return content


def _picture_file(first: runs.Run, second: runs.Run) -> pathlib.Path:
    """Returns the file of an earlier comparison of the same two runs, or else a new one."""
    number, name = 1, f"compare_{second.path.name}"
    while True:
        path = first.path / "evaluation" / f"{name if number == 1 else f'{name}_{number}'}.png"
        numbers = path.with_suffix(".json")
        if not numbers.is_file():
            return path
        compared = (pathlib.Path(run["path"]).resolve() for run in runs.read_json(numbers)["runs"].values())
        if second.path.resolve() in compared:
            return path
        number += 1


def _unique_name(name: str, used: dict) -> str:
    return name if name not in used else f"{name}, second"


def _print(content: dict) -> None:
    table = Table(title=f"Comparison of samples, seed {content['seed']}: {content['picture']}", title_justify="left")
    table.add_column("metric", no_wrap=True)
    for name in content["runs"]:
        table.add_column(name, justify="right", min_width=max(map(len, name.split())))
    table.add_column("note")
    for metric, about in content["about"].items():
        values = [format_value(run["metrics"][metric], {}) for run in content["runs"].values()]
        table.add_row(metric, *values, about.get("reason", about.get("note", "")))
    Console().print(table)
