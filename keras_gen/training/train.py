"""`train`: a system and data into a run directory.

What is asked for is checked here, before TensorFlow is imported; `fitting` does the rest. Most lines are the arguments
of `train` and what they mean.
"""

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from keras_gen import runs
from keras_gen.progress import Progress
from keras_gen.startup import starting

from . import config as plan
from .cluster import workers

if TYPE_CHECKING:
    import keras

    from keras_gen.models import GenerativeModel


def train(
    system: "str | GenerativeModel | None",
    data: str | os.PathLike | None,
    out: str | os.PathLike,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    seed: int | None = None,
    precision: str | None = None,
    strategy: str = "auto",
    resume: bool = False,
    data_changed: bool = False,
    overwrite: bool = False,
    patience: int | None = None,
    learning_rate: float | None = None,
    binarize: str | None = "auto",
    augment: Iterable[str] | None = None,
    labeled: int | None = None,
    data_dir: str | os.PathLike | None = None,
    settings: Mapping | None = None,
    view: Mapping | None = None,
    initial_weights: str | os.PathLike | None = None,
    value_range: tuple[float, float] | None = None,
    pretraining_epochs: int | None = None,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    verbose: int = 1,
) -> runs.Run:
    """Train a system on data and leave a run directory: `model.fit` with everything around it.

    The run holds the best model by the validation loss (`model.keras`), the last states (`checkpoints/`), metrics.csv,
    TensorBoard logs, a picture after every epoch and a model card. A run that was stopped at any moment, also by
    kill -9, goes on with `resume=True` and ends with the same weights, bit for bit, as one that was never stopped
    (on the same devices; on GPUs only with `tf.config.experimental.enable_op_determinism()`). At Ctrl-C and SIGTERM
    the step that is running is finished and its state saved; a second signal stops at once. One process at a time
    trains in a run directory.

    Args:
        system: a key of `keras_gen.zoo`, or a compiled `GenerativeModel` of one's own. To resume, None takes the run's.
        data: anything that `keras_gen.data.load` takes. To resume, None takes the run's. A Puzzle-GAN that is given
            "shapes" reads "shapes/placed", where a patch tells its place; "shapes/full" are objects that lie anywhere.
        out: the run directory to make, or to go on with.
        epochs: how many in all, counted from the beginning also after a resume; None takes the system's default. With
            another number a resumed run's learning rates continue where they are: see `training.callbacks.LinearDecay`.
        steps: batches in an epoch; None is one pass over the training split.
        batch_size: images in a step, over all devices; None takes the system's default.
        image_size: pixels, or (height, width); None takes the source's own size where it has one of at most 64, else
            the system's.
        seed: of the initial weights, the order of the data and all noise; None is 0.
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`; None is float32.
        strategy: `"auto"`, `"default"`, `"mirrored"`, `"multiworker"` or `"tpu"`; see `training.strategies.get`.
        resume: go on with the run in `out`, with its own settings; what is given here must agree with them, but for
            `epochs`, `patience`, `strategy`, `data_dir`, `callbacks` and `verbose`. `data` may lie at another place;
            their content must be the same.
        data_changed: resume on data that have changed, deliberately: they are split as those of a new run, so that
            images which validate the model from now on may have been trained on before.
        overwrite: replace the run in `out`.
        patience: stop after this many epochs without a better one; None never does.
        learning_rate: Adam's; None takes the system's default.
        binarize: `"dynamic"`, `"threshold"` or None; `"auto"` is dynamic where the model's likelihood is one of binary
            pixels and the images are gray and nearly binary, as digits are.
        augment: names of `keras_gen.data.load`'s augmentations, for training alone.
        labeled: give a further batch of labeled images with every batch, from a fixed part of the split of this many
            (see `keras_gen.data.load`); for `supervised` systems.
        data_dir: TFDS directory.
        settings: the system's own, see `zoo.get(key).settings`.
        view: what the system sees of the data, where it takes more than images: `{"domains": [A, B], "domain_field": FIELD}` are
            two classes as domains, `{"attributes": [FIELD or NAME, ...]}` what is to be changed in an image. Every
            view takes `max_pixels` and `max_member_bytes`, the bounds of `keras_gen.data.load`, and its `crop` and
            `background`.
        initial_weights: a run directory or `.keras` file whose weights, optimizers and seeds a new run of the same
            networks starts from, in place of fresh ones; what is trained before the system itself is then left out.
        value_range: (black, white), the stored numbers that become 0.0 and 1.0, such as (0, 4095); None detects it. See
            `keras_gen.data.load`.
        pretraining_epochs: epochs of each stage that is trained before the system itself; 0 leaves them out, None takes
            the system's defaults. `steps` bounds their batches too.
        callbacks: more of them; their own state is not kept for a resume.
        verbose: 0 silent; 1 what is being done, with counts and the remaining time, and a line for each epoch; 2 a
            line for each epoch alone.

    Returns:
        The run; `run.load_model()` opens the best model.

    Raises:
        ValueError: for arguments or data that do not fit, and for a resume with other settings.
        FileExistsError: where `out` holds something and neither `resume` nor `overwrite` is given.
        FileNotFoundError: where there is nothing to resume, or the states of a run are lost.
        RunInUseError: where another process trains in `out`.
        UnwritableError: where the disk is full or read-only; the last states are intact.
        ReplicasDifferError: where replicas no longer hold the same weights.
        WorkerLostError: where another worker has ended.
        KeyboardInterrupt: after Ctrl-C, when the state has been saved.
        SystemExit: after SIGTERM, when the state has been saved; its code is 143.
        FloatingPointError: where a metric becomes NaN or infinite; the best model so far is kept.

    Example:
        >>> run = keras_gen.train("vae", "shapes", "runs/vae", epochs=5)
        >>> images = run.load_model().generate(16, seed=1)
    """
    if resume and overwrite:
        raise ValueError("resume goes on with a run and overwrite replaces it: give one of them")
    if data_changed and not resume:
        raise ValueError("data_changed is for a run that is resumed: give resume=True (--resume) too, or leave it out")
    request = plan.Request(
        system, data, epochs, steps, batch_size, plan.size_of(image_size), seed, precision, strategy, patience,
        learning_rate, binarize, None if augment is None else tuple(augment), labeled,
        None if data_dir is None else os.fspath(data_dir), dict(settings or {}), dict(view or {}),
        None if initial_weights is None else str(pathlib.Path(initial_weights).expanduser().resolve()),
        value_range,
        pretraining_epochs,
        data_changed,
    )  # fmt: skip
    with Progress(verbose == 1):
        # one of several workers that fails must tell the others, which takes their strategy: then `fitting` checks
        together = strategy in ("auto", "multiworker") and workers()
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            if verbose:
                print(text, flush=True)

        config = None if together else plan.config_of(request, out, resume=resume, overwrite=overwrite, say=say)
        with starting():
            from . import fitting
        return fitting.train(
            request,
            out,
            config=None if resume else config,
            said=said,
            resume=resume,
            overwrite=overwrite,
            callbacks=list(callbacks),
            verbose=verbose,
        )
