"""`train`: a system and data become a run directory.

The options are checked here, before TensorFlow is imported; `fitting` does the rest.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keras_gen.progress import Progress
from keras_gen.startup import starting

from .cluster import workers
from .config import TrainConfig, check_size

if TYPE_CHECKING:
    import keras

    from keras_gen import runs
    from keras_gen.models import GenerativeModel


def train(
    system: "str | GenerativeModel | None",
    data: str | os.PathLike | None,
    out: str | os.PathLike,
    *,
    preset: str | None = None,
    epochs: int | None = None,
    updates: int | None = None,
    minutes: float | None = None,
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
) -> "runs.Run":
    """Trains a system on data and writes a run directory: `model.fit` with everything around it.

    The run directory contains the best model by the validation loss (`model.keras`), the last states (`checkpoints/`),
    metrics.csv, TensorBoard logs, a picture after every epoch and a model card. A run that was stopped at any moment,
    also by kill -9, continues with `resume=True` and ends with the same weights, bit for bit, as one that was never
    stopped (on the same devices; on GPUs only with `tf.config.experimental.enable_op_determinism()`). After Ctrl-C or
    SIGTERM the current step is finished and its state saved; a second signal stops at once. Only one process at a time
    trains in a run directory.

    Args:
        system: Key of the system, see `keras-gen zoo`; not needed to resume. A compiled `GenerativeModel` of your own
            is trained as it is.
        data: Dataset name, folder, .npz or .npy file; not needed to resume. Any source that `keras_gen.data.load`
            accepts. A system may use its own variant of a dataset: for patches, "shapes" is "shapes/placed", where the
            content of a patch shows its position ("shapes/full" has objects anywhere). On a resume the data may be at
            another place, if their content is the same.
        out: The run directory, which is created, or continued with `resume`.
        preset: Settings and defaults of training by name, see `keras-gen zoo SYSTEM`: paper, small or gpu; default the
            system's own. All other options take precedence over it.
        epochs: Number of epochs, counted from the beginning also after a resume; default those of --updates. When a
            resume changes it, the learning rates continue from their current values: see
            `training.callbacks.LinearDecay`.
        updates: Length of the training in steps of a batch, instead of --epochs; default the system's. It is rounded
            up to whole epochs: see `training.length.length_of`.
        minutes: Length of the training in minutes, instead of --epochs and --updates: measured, then fixed. The speed
            of the first steps, of a validation, of a picture and of a state determines the number of epochs and steps,
            which config.json states before the training begins. Pretraining has its usual share. The result equals
            that of a run with these numbers, also after a resume: see `training.calibration`.
        steps: Batches in an epoch; default one pass over the data, or the parts or passes that make 20 to 100 epochs.
            With `epochs`, the default is one pass.
        batch_size: Images in a step, over all devices; default the system's.
        image_size: Pixels: 64, or HEIGHTxWIDTH such as 48x64; default the data's own size where it is at most 64. In
            Python, (height, width). Where the images have no common square size of at most 64 pixels, the default is
            the system's.
        seed: Seed of the initial weights, the order of the data and all noise; default 0.
        precision: float32, mixed_bfloat16 or mixed_float16; default float32.
        strategy: auto, default, mirrored, multiworker or tpu. See `training.strategies.get`.
        resume: Continue the run in --out exactly where it stopped. The run's own options apply; options of this call
            must agree with them, except for `data`, `data_dir`, `epochs`, `patience`, `strategy`, `callbacks` and
            `verbose`.
        data_changed: Resume on data that have changed, with a new validation split. Images that validate the model from
            then on may have been trained on before.
        overwrite: Replace the run in --out.
        patience: Stop after this number of epochs without an improvement; default never.
        learning_rate: Learning rate of the optimizer, usually Adam; default the system's.
        binarize: Binarization of the pixels: auto, none, dynamic or threshold. In Python, none is None. "auto" is
            dynamic where the images are nearly binary, such as digits, and the model has a likelihood of binary pixels
            or chooses it by them, as the VAE's head; it is none elsewhere.
        augment: Augmentations of the training images, separated by commas: flip, crop, shift, color, or none; default
            flip for photos where mirrored ones look like the others. In Python, a sequence of names. A preset may have
            augmentations of its own. Images are not flipped by default where they are nearly binary, such as digits,
            where a classifier recognizes their orientation, or where a label, an attribute or a caption that the model
            learns says left or right: see `training.by_pixels`.
        labeled: Number of images whose labels a supervised system may use. A batch of labeled images, from a fixed part
            of the training split, comes with every batch; see `keras_gen.data.load`.
        data_dir: TFDS directory; default TFDS_DATA_DIR or ~/tensorflow_datasets.
        settings: Settings of the system, see `keras-gen zoo SYSTEM`. In Python, see `zoo.get(key).settings`.
        view: Part of the data that the system learns from: domains=A,B, domain_field=FIELD, attributes=NAME,...,
            captions=FILE, length=N, crop=pad, max_pixels=N. In Python a dict: `{"domains": [A, B], "domain_field":
            FIELD}` takes two classes as two domains, and `{"attributes": [FIELD or NAME, ...]}` selects the attributes
            to translate. Every system has `max_pixels`, `max_member_bytes`, `crop` and `background` of
            `keras_gen.data.load`.
        initial_weights: Run directory or .keras file whose weights a new run starts from. The optimizers and seeds are
            restored too. The networks must be the same, and the pretraining is skipped.
        value_range: Stored numbers that are black and white, such as 0,4095; default detected. See
            `keras_gen.data.load`.
        pretraining_epochs: Epochs of each stage of pretraining, for a system that has such stages; 0 skips them. None
            uses the defaults of the system. `steps` bounds the batches of these epochs too.
        callbacks: Further Keras callbacks; their own state is not saved for a resume.
        verbose: 0 is silent; 1 reports the current activity with counts and the remaining time, and a line for each
            epoch; 2 prints only the line for each epoch.

    Returns:
        The run; `run.load_model()` opens the best model.

    Raises:
        ValueError: for options or data that do not fit, and for a resume with other options.
        FileExistsError: where `out` is not empty and neither `resume` nor `overwrite` is True.
        FileNotFoundError: where there is no run to resume, or its states are lost.
        RunInUseError: where another process trains in `out`.
        UnwritableError: where the disk is full or read-only; the last states are intact.
        ReplicasDifferError: where the replicas no longer have the same weights.
        WorkerLostError: where another worker has ended.
        KeyboardInterrupt: after Ctrl-C, when the state has been saved.
        SystemExit: after SIGTERM, when the state has been saved; its code is 143.
        FloatingPointError: where a metric becomes NaN or infinite; the best model so far remains.

    Example:
        >>> run = keras_gen.train("vae", "shapes", "runs/vae", epochs=5)  # doctest: +SKIP
        >>> images = run.load_model().generate(16, seed=1)  # doctest: +SKIP
    """
    if resume and overwrite:
        raise ValueError("Expected resume (continue a run) or overwrite (replace it); received both. Leave one out")
    if data_changed and not resume:
        raise ValueError(
            "Expected data_changed only with resume=True (--resume); received it for a new run. Leave it out"
        )
    config = TrainConfig(
        system=system,
        data=data,
        preset=preset,
        epochs=epochs,
        updates=updates,
        minutes=minutes,
        steps=steps,
        batch_size=batch_size,
        image_size=None if image_size is None else check_size("image_size", image_size),
        seed=seed,
        precision=precision,
        strategy=strategy,
        resume=resume,
        data_changed=data_changed,
        overwrite=overwrite,
        patience=patience,
        learning_rate=learning_rate,
        binarize=binarize,
        augment=None if augment is None else tuple([augment] if isinstance(augment, str) else augment),
        labeled=labeled,
        data_dir=None if data_dir is None else os.fspath(data_dir),
        settings=settings or {},
        view=view or {},
        initial_weights=None if initial_weights is None else os.fspath(initial_weights),
        value_range=value_range,
        pretraining_epochs=pretraining_epochs,
    )
    with Progress(verbose == 1):
        notes_shown: list[str] = []

        def show_note(note: str) -> None:
            notes_shown.append(note)
            if verbose:
                print(note, flush=True)

        content = None
        # a worker that fails must report it to the others, which needs their strategy: then `fitting` does these checks
        if strategy not in ("auto", "multiworker") or not workers():
            content = _checked_content(config, out, show_note)
        with starting():
            from . import fitting
        return fitting.train(
            config,
            out,
            content=None if resume else content,
            notes_shown=notes_shown,
            callbacks=list(callbacks),
            verbose=verbose,
        )


def _checked_content(config: TrainConfig, out: str | os.PathLike, show_note: Callable[[str], None]) -> dict[str, Any]:
    """The content of config.json, after all checks that need neither TensorFlow nor a model."""
    from keras_gen import runs

    from .new_run import new_run
    from .resume import resumed

    if config.resume:
        return resumed(config, runs.Run.open(out).config)
    runs.check_free(out, overwrite=config.overwrite)
    return new_run(config, show_note)
