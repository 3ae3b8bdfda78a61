"""`evaluate`: a run directory in, evaluation.json and pictures out."""

import datetime
import os
import platform
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from keras_gen import pictures, runs
from keras_gen.evaluate_config import EvaluateConfig
from keras_gen.files import check_writable
from keras_gen.progress import Progress

from .context import NEIGHBOR_IMAGES, EvaluationContext, chosen_split, split_note
from .features.fid_inception import weights_file
from .registry import EVALUATORS, PICTURES
from .report import table

REFUSALS = (ValueError, OSError, ArithmeticError, MemoryError, np.linalg.LinAlgError, tf.errors.OpError)


def evaluate(
    run: runs.Run | str | os.PathLike,
    *,
    nll_samples: int = 5000,
    nll_images: int | str = 500,
    samples: int = 1000,
    features: Iterable[str] = ("pixels",),
    parzen: bool = False,
    max_images: int = 10_000,
    neighbor_images: int = NEIGHBOR_IMAGES,
    batch_size: int | None = None,
    seed: int = 0,
    split: str | None = None,
    verbose: bool = True,
) -> dict:
    """Measure a trained run, write evaluation.json and pictures into it, and print a table.

    Each metric is measured where the system offers what it needs; a metric that would have no meaning (a
    log-likelihood of gray pixels under a Bernoulli head) or cannot be computed is null, with the reason. The same seed
    gives the same numbers. The name of a score of samples says what it depends on, and `..._floor` is what real images
    have in the place of samples.

    ```
    {"metrics": {"elbo": -88.1, "nll": 85.2, ...},       # nats per image: elbo <= 0, kl >= 0, nll = -log p(x)
     "about": {"nll": {"unit": ..., "images": 500, "samples": 5000, ...}, ...},
     "seed": 0, "split": "test", "date": ..., "hardware": {...}, "versions": {...}, "pictures": {name: file}}
    ```

    Args:
        run: a run, or its directory.
        nll_samples: codes for each image in the log-likelihood, >= 1.
        nll_images: images in the log-likelihood, chosen by the seed; `"all"` for results that are published.
        samples: generated images that are compared with as many real ones; 10,000 for results that are published
            (26,000 for stacked digits).
        features: what samples are compared by: `"pixels"`; `"classifier"`, the last hidden layer of a classifier of
            the data's labels, which is trained once and kept; `"fid"`, the FID and other scores by the features of its
            network, whose weights file must be there, see `keras_gen.evaluation.fid_features`; `"inception"`, another
            network, which Keras downloads; `"pyramid"`, patches at each level of detail, which takes longest. The
            distance by random convolutions, `fd_random_conv_...`, is always measured.
        parzen: take the Parzen-window log-likelihood too, a historical measure; see
            `keras_gen.evaluation.metrics.parzen`.
        max_images: limit of the images that are held in memory for metrics other than ELBO and log-likelihood.
        neighbor_images: limit of the training images among which copies are looked for, all of them one block after
            the other; with more of them these scores are null.
        batch_size: images at a time; None takes the run's.
        seed: of codes, samples, the choice of images and dynamic binarization, 0 <= seed < 2**31.
        split: `"test"`, `"validation"` or `"train"`, as the run's config.json defines them; None is the first of these
            that the run has.
        verbose: print progress and the table.

    Returns:
        What evaluation.json holds.

    Raises:
        ValueError: for options out of range or a split that the run does not have.
        FileNotFoundError: where there is no run, or the features `"fid"` are asked for without their weights file.

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
        weights_file()  # before anything that takes long
    split = chosen_split(run, split)
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
        context.count()  # before anything that takes long: whether the data are there
        note = split_note(run, split)
        measured, (files, missing) = measure(context, progress), draw(context, progress)
        content = {
            **measured,
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
        which = f"{split} split" + (f" ({note})" if note else "")
        table(content, title=f"{run.path} on {run.config['data']['source']}, {which}, seed {seed}")
    return content


def measure(context: EvaluationContext, progress) -> dict:
    """`metrics` and `about` of all evaluators that fit the model.

    An evaluator that refuses is null under its own name, with the reason; the others are measured all the same.
    """
    metrics, about = {}, {}
    for evaluator in EVALUATORS:
        if evaluator.needs.fits(context.model):
            progress.update(evaluator.name, 0, 0)
            try:
                values, notes = evaluator.measure(context)
            except REFUSALS as error:
                name = evaluator.name.replace(" ", "_").lower()
                values, notes = {name: None}, {name: {"unit": "", "reason": f"{type(error).__name__}: {error}"}}
            metrics.update(values)
            about.update(notes)
    return {"metrics": metrics, "about": about}


def draw(context: EvaluationContext, progress) -> tuple[dict[str, str], dict[str, str]]:
    """Write the pictures that fit the model.

    Returns:
        Name -> file, relative to the run directory; and name -> reason of those that cannot be drawn.
    """
    files, missing = {}, {}
    for picture in PICTURES:
        if picture.needs.fits(context.model):
            progress.update(f"picture {picture.name}", 0, 0)
            file = f"evaluation/{picture.name}.png"
            try:
                pictures.save(context.run.path / file, picture.draw(context))
                files[picture.name] = file
            except REFUSALS as error:
                missing[picture.name] = f"{type(error).__name__}: {error}"
    return files, missing


def hardware() -> dict:
    """The machine that numbers come from: machine type, processor count and graphics cards."""
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "gpus": [details.get("device_name", "GPU") for details in gpus],
    }
