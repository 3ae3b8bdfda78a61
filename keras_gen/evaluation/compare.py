"""Samples of two runs side by side with the data: why an autoencoder is not a generative model, in one picture."""

import os
import pathlib

from rich.console import Console
from rich.table import Table

from keras_gen import pictures, runs, zoo

from .context import EvaluationContext, chosen_split
from .evaluators.samples import real_images, sample_metrics
from .report import number

SHOWN = 64


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
    """Put samples of two runs and real images side by side, with their distances to the data.

    Both are judged by the same real images, those of the first run.

    Args:
        run_a, run_b: runs or their directories, on the same data.
        out: an image file; None is `evaluation/beside_<name of run_b>.png` in run_a, with a number where that is of
            another run of this name. A .json beside it has the numbers.
        samples: generated images of each, compared with as many real ones.
        batch_size, seed, split: as in `evaluate`; the split that is chosen by default is the first run's.
        verbose: print a table.

    Returns:
        {"runs": {name: {"path", "system", "metrics"}}, "about": {metric: dict}, "picture": path, "seed", "split"}.

    Raises:
        ValueError: where the two have images of different shape or different data.

    Example:
        >>> keras_gen.evaluation.compare("runs/autoencoder", "runs/vae")  # doctest: +SKIP
    """
    first, second = (run if isinstance(run, runs.Run) else runs.Run.open(run) for run in (run_a, run_b))
    for what, values in (
        ("image shapes", (first.image_shape, second.image_shape)),
        ("data", (first.config["data"]["source"], second.config["data"]["source"])),
    ):
        if values[0] != values[1]:
            raise ValueError(
                f"Two runs side by side need the same {what}: {first.path} has {values[0]}, "
                f"{second.path} has {values[1]}"
            )
    out = pathlib.Path(out) if out else _picture_of(first, second)
    split = chosen_split(first, split)
    options = {"split": split, "seed": seed, "batch_size": batch_size, "samples": samples}
    subjects = [EvaluationContext(run, **options) for run in (first, second)]
    real = real_images(subjects[0])
    panels, results, about = {}, {}, {}
    for context in subjects:
        metrics, about = sample_metrics(context, real)
        swd = next(name for name in metrics if name.startswith("swd_pixels"))
        title = zoo.SYSTEMS[system].title if (system := context.run.config["system"]) in zoo.SYSTEMS else system
        name = _free(f"{context.run.path.name} ({title})", results)
        panels[f"{name}: {metrics[swd]:.4f}"] = pictures.grid(context.generated[:SHOWN], columns=8, scale=context.zoom)
        results[name] = {"path": str(context.run.path), "system": system, "metrics": metrics}
    panels[f"{split} images; other real images: {metrics[f'{swd}_floor']:.4f}"] = pictures.grid(
        real.judged[:SHOWN], columns=8, scale=subjects[0].zoom
    )
    pictures.save(out, pictures.beside(panels))
    content = {"runs": results, "about": about, "picture": str(out), "seed": seed, "split": split}
    runs.write_json(out.with_suffix(".json"), content)
    if verbose:
        _print(content)
    return content


def _picture_of(first: runs.Run, second: runs.Run) -> pathlib.Path:
    """The picture of two runs: a new one, or the one that an earlier comparison of the same two has written."""
    number, name = 1, f"beside_{second.path.name}"
    while True:
        path = first.path / "evaluation" / f"{name if number == 1 else f'{name}_{number}'}.png"
        numbers = path.with_suffix(".json")
        if not numbers.is_file():
            return path
        compared = (pathlib.Path(each["path"]).resolve() for each in runs.read_json(numbers)["runs"].values())
        if second.path.resolve() in compared:
            return path
        number += 1


def _free(name: str, taken: dict) -> str:
    return name if name not in taken else f"{name}, second"


def _print(content: dict) -> None:
    shown = Table(title=f"Samples side by side, seed {content['seed']}: {content['picture']}", title_justify="left")
    shown.add_column("metric", no_wrap=True)
    for name in content["runs"]:
        shown.add_column(name, justify="right")
    shown.add_column("note")
    for metric, about in content["about"].items():
        values = [number(run["metrics"][metric], {}) for run in content["runs"].values()]
        shown.add_row(metric, *values, about.get("reason", about.get("note", "")))
    Console().print(shown)
