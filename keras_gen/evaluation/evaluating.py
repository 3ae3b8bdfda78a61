"""`evaluate`: measures a run and writes evaluation.json and pictures into it."""

import datetime
import os
import platform
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen import pictures, runs
from keras_gen.files import check_writable
from keras_gen.progress import Progress

from .config import MAX_NEIGHBOR_IMAGES, EvaluateConfig
from .context import EvaluationContext, choose_split, split_note
from .features.fid_inception import weights_file
from .registry import EVALUATORS, PICTURES
from .report import headline, print_table
from .types import About, Metrics

# errors that make one evaluator's metrics null and leave the others unaffected
EVALUATOR_ERRORS = (ValueError, OSError, ArithmeticError, MemoryError, np.linalg.LinAlgError, tf.errors.OpError)


def evaluate(
    run: runs.Run | str | os.PathLike,
    *,
    nll_samples: int = 5000,
    nll_images: int | str = 500,
    samples: int = 1000,
    features: Iterable[str] = ("small_v1",),
    parzen: bool = False,
    max_images: int = 10_000,
    neighbor_images: int = MAX_NEIGHBOR_IMAGES,
    batch_size: int | None = None,
    seed: int = 0,
    split: str | None = None,
    verbose: bool = True,
) -> dict[str, Any]:
    """Measures a trained run, writes evaluation.json and pictures into it, and prints a table.

    Each metric is computed where the model meets its requirements (see `registry.py`). A metric that has no meaning for
    the model or its data, such as the log-likelihood of gray pixels under a Bernoulli head, or that cannot be computed,
    is null with the reason. The same seed gives the same numbers. The name of a sample score states what the score
    depends on; `..._floor` is its value for real images.

    ```
    {"metrics": {"elbo": -88.1, "nll": 85.2, ...},       # nats per image: elbo <= 0, kl >= 0, nll = -log p(x)
     "about": {"nll": {"unit": ..., "images": 500, "samples": 5000, ...}, ...},
     "headline": {"metric": "fd_small_v1_1000_test", "value": 3.1, "floor": 0.4, "better": "lower"},  # or None
     "seed": 0, "split": "test", "date": ..., "hardware": {...}, "versions": {...}, "pictures": {name: file}}
    ```

    Args:
        run: a run, or its directory.
        nll_samples: codes per image in the log-likelihood, >= 1.
        nll_images: images in the log-likelihood, chosen by the seed; `"all"` for results that are published.
        samples: generated images that are compared with as many real ones; 10,000 for results that are published
            (26,000 for stacked digits).
        features: features by which samples are compared. `"small_v1"`, a network that is part of the package, is
            always among them. Others are `"pixels"`, in which blurred images score well; `"classifier"`, the last
            hidden layer of a classifier of the data's labels, which is trained once and cached; `"fid"`, the FID and
            other scores by the features of its network, which needs a weights file, see
            `features.extractors.fid_features`; `"inception"`, another network, which Keras downloads; `"pyramid"`,
            patches of a Laplacian pyramid, the slowest.
        parzen: also compute the Parzen-window log-likelihood, for comparison with papers of 2014 to 2016; see
            `metrics.parzen`.
        max_images: maximum number of images in memory, for metrics other than ELBO and log-likelihood.
        neighbor_images: maximum number of training images that are searched for nearest neighbors; for larger training
            sets these scores are null.
        batch_size: images per batch; None is the run's.
        seed: seed of codes, samples, the choice of images and dynamic binarization, 0 <= seed < 2**31.
        split: `"test"`, `"validation"` or `"train"`, as the run's config.json defines them; None is the first of these
            that the run has.
        verbose: print progress and the table.

    Returns:
        the content of evaluation.json.

    Raises:
        ValueError: for options out of range, or a split that the run does not have.
        FileNotFoundError: for a missing run, or a missing weights file of the features `"fid"`.

    Example:
        >>> keras_gen.evaluate("runs/vae", nll_images="all")["metrics"]["nll"]  # doctest: +SKIP
    """
    run = run if isinstance(run, runs.Run) else runs.Run.open(run)
    config = EvaluateConfig(
        nll_samples=nll_samples,
        nll_images=nll_images,
        samples=samples,
        features=(features,) if isinstance(features, str) else tuple(features),
        parzen=parzen,
        max_images=max_images,
        neighbor_images=neighbor_images,
        batch_size=batch_size,
        split=split,
        seed=seed,
    )
    if "fid" in config.features:
        weights_file()  # fails now rather than after a long evaluation
    split = choose_split(run, split)
    check_writable(run.path)
    with Progress(verbose) as progress:
        context = EvaluationContext(
            run,
            split=split,
            seed=seed,
            batch_size=config.batch_size or run.config["training"]["batch_size"],
            nll_samples=nll_samples,
            nll_images=config.nll_images if isinstance(config.nll_images, int) else None,
            samples=samples,
            features=config.features,
            parzen=parzen,
            max_images=max_images,
            neighbor_images=neighbor_images,
            progress=progress.update,
        )
        context.count()  # fails now if the data are missing
        note = split_note(run, split)
        metrics, about = compute_metrics(context)
        files, missing = write_pictures(context)
        content = {
            "metrics": metrics,
            "about": about,
            "headline": headline(metrics, about),
            "seed": seed,
            "split": split,
            **({"split_note": note} if note else {}),
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "hardware": hardware(),
            "versions": runs.versions(),
            "pictures": files,
            **({"missing_pictures": missing} if missing else {}),
        }
    runs.write_json(run.evaluation_file, content)
    if verbose:
        evaluated = f"{split} split" + (f" ({note})" if note else "")
        print_table(content, title=f"{run.path} on {run.config['data']['source']}, {evaluated}, seed {seed}")
    return content


def compute_metrics(context: EvaluationContext) -> tuple[Metrics, About]:
    """Runs every evaluator whose requirements the model meets.

    An evaluator that raises an error is null under its own name, with the reason; the others still run.

    Returns:
        (metrics, about).
    """
    metrics, about = {}, {}
    for evaluator in EVALUATORS:
        if evaluator.requirements.met_by(context.model):
            context.progress(evaluator.name, 0, 0)
            try:
                values, notes = evaluator.measure(context)
            except EVALUATOR_ERRORS as error:
                name = evaluator.name.replace(" ", "_").lower()
                values, notes = {name: None}, {name: {"unit": "", "reason": f"{type(error).__name__}: {error}"}}
            metrics.update(values)
            about.update(notes)
    return metrics, about


def write_pictures(context: EvaluationContext) -> tuple[dict[str, str], dict[str, str]]:
    """Writes every picture whose requirements the model meets.

    Returns:
        name -> file, relative to the run directory; and name -> reason for pictures that could not be drawn.
    """
    files, missing = {}, {}
    for picture in PICTURES:
        if picture.requirements.met_by(context.model):
            context.progress(f"picture {picture.name}", 0, 0)
            file = f"evaluation/{picture.name}.png"
            try:
                pictures.save(context.run.path / file, picture.draw(context))
                files[picture.name] = file
            except EVALUATOR_ERRORS as error:
                missing[picture.name] = f"{type(error).__name__}: {error}"
    return files, missing


def hardware() -> dict[str, Any]:
    """Returns machine type, operating system, processor count and graphics cards of this machine."""
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "gpus": [details.get("device_name", "GPU") for details in gpus],
    }
