"""`train`: a system and data into a run directory."""

# More than 250 lines: most are the arguments of `train` and what they mean; what it does is in the modules beside it.

import contextlib
import os
import pathlib
import secrets
import time
from collections.abc import Iterable, Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data as sources
from keras_gen import files, runs, zoo
from keras_gen.models import AdversarialModel, GenerativeModel, Text2Image
from keras_gen.models.faults import player_in
from keras_gen.models.host import host_value
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History

from . import plan, strategies
from .callbacks import (
    ADVICE,
    KeepBest,
    KeepHistory,
    LinearDecay,
    ReportTrouble,
    StopOnNaN,
    StopWhenWaiting,
    optimizers_of,
    save_model,
)
from .card import write_card
from .pretraining import pretrain
from .samples import SampleGrid
from .session import Session, Stopped, warn
from .signals import StopSignals, end_by

# what TensorFlow raises in the other workers where one has ended
WORKER_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)


def train(
    system: str | GenerativeModel | None,
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
    overwrite: bool = False,
    patience: int | None = None,
    learning_rate: float | None = None,
    binarize: str | None = "auto",
    augment: Iterable[str] | None = None,
    labelled: int | None = None,
    data_dir: str | os.PathLike | None = None,
    settings: Mapping | None = None,
    view: Mapping | None = None,
    initial_weights: str | os.PathLike | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
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
        epochs: how many in all, counted from the beginning also after a resume; None takes the system's default.
        steps: batches in an epoch; None is one pass over the training split.
        batch_size: images in a step, over all devices; None takes the system's default.
        image_size: pixels, or (height, width); None takes the source's own size where it has one of at most 64, else
            the system's.
        seed: of the initial weights, the order of the data and all noise; None is 0.
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`; None is float32.
        strategy: `"auto"`, `"default"`, `"mirrored"`, `"multiworker"` or `"tpu"`; see `training.strategies.get`.
        resume: go on with the run in `out`, with its own settings; what is given here must agree with them, but for
            `epochs`, `patience`, `strategy`, `data_dir`, `callbacks` and `verbose`.
        overwrite: replace the run in `out`.
        patience: stop after this many epochs without a better one; None never does.
        learning_rate: Adam's; None takes the system's default.
        binarize: `"dynamic"`, `"threshold"` or None; `"auto"` is dynamic where the model's likelihood is one of binary
            pixels and the images are gray.
        augment: names of `keras_gen.data.load`'s augmentations, for training alone.
        labelled: give a further batch of labelled images with every batch, from a fixed part of the split of this many
            (see `keras_gen.data.load`); for `supervised` systems.
        data_dir: TFDS directory.
        settings: the system's own, see `zoo.get(key).settings`.
        view: what the system sees of the data, where it takes more than images: `{"domains": [A, B], "by": FIELD}` are
            two classes as domains, `{"attributes": [FIELD or NAME, ...]}` what is to be changed in an image. Every
            view takes `max_pixels` and `max_member_bytes`, the bounds of `keras_gen.data.load`.
        initial_weights: a run directory or `.keras` file whose weights, optimizers and seeds a new run of the same
            networks starts from, in place of fresh ones; what is trained before the system itself is then left out.
        callbacks: more of them; their own state is not kept for a resume.
        verbose: 0 silent, 1 a progress bar, 2 a line for each epoch.

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
    request = plan.Request(
        system, data, epochs, steps, batch_size, plan.size_of(image_size), seed, precision, strategy, patience,
        learning_rate, binarize, None if augment is None else tuple(augment), labelled,
        None if data_dir is None else os.fspath(data_dir), dict(settings or {}), dict(view or {}),
        None if initial_weights is None else str(pathlib.Path(initial_weights).expanduser().resolve()),
    )  # fmt: skip
    try:
        devices = _devices(request)  # before anything else: several workers cannot start after other operations
    except WORKER_LOST as error:
        raise _worker_lost(out) from error
    with StopSignals() as signals:  # not before the strategy: that of several workers takes SIGTERM for itself
        try:
            run = _train(request, out, devices, resume, overwrite, list(callbacks), signals, verbose)
        except Stopped as stop:
            warn(f"stopped by {stop}, which is saved. {_again(out)}")
            raise end_by(stop.signal) from None
        except (KeyboardInterrupt, SystemExit):
            warn(f"stopped at once. {_again(out)}")
            raise
        except WORKER_LOST as error:
            if not strategies.has_workers(devices):
                raise
            raise _worker_lost(out) from error
    if signals.received:  # while the last epoch ended
        raise end_by(signals.received)
    return run


def _worker_lost(out: str | os.PathLike) -> strategies.WorkerLostError:
    return strategies.WorkerLostError(
        f"Another worker has ended, or cannot be reached. Start all workers again. {_again(out)}"
    )


def _again(out: str | os.PathLike) -> str:
    """How to continue after a stop."""
    if (pathlib.Path(out) / "config.json").is_file():
        return f"To continue: keras-gen train --resume --out {out}"
    return "No run was created yet: start again with the same command"


def _train(
    request: plan.Request,
    out: str | os.PathLike,
    devices: tf.distribute.Strategy,
    resume: bool,
    overwrite: bool,
    callbacks: list[keras.callbacks.Callback],
    signals: StopSignals,
    verbose: int,
) -> runs.Run:
    worker = strategies.task_of(devices)
    with contextlib.ExitStack() as locks:
        with strategies.together(devices):
            if resume:
                home = _home(runs.Run.open(out), worker)
                locks.enter_context(runs.lock(home))
                run = runs.Run.open(out)  # as the process that held the lock before has left it
                run.config = plan.resumed(request, run.config)
            else:
                if worker == 0:
                    runs.check_free(out, overwrite=overwrite)
                run = runs.Run(pathlib.Path(out), plan.new(request))
        if not resume:  # the same for all workers
            number = np.frombuffer(secrets.token_bytes(8), np.int32)
            run.config["id"] = strategies.gather(devices, number)[0].astype(">i4").tobytes().hex()
        model = _model(request, run, devices)
        strategies.check_options(model, devices, run.config["training"]["batch_size"])
        rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(model)]
        run.config["data"]["binarize"] = plan.binarize_of(model, run.config["data"]["binarize"])
        with strategies.together(devices):
            training, validation = _datasets(run, model)
            if worker == 0 and not resume:
                locks.enter_context(runs.lock(run.path))
                runs.Run.create(out, run.config, overwrite=overwrite, locked=True)
        with strategies.together(devices):  # not before the chief has emptied the run directory
            if worker and not resume:
                files.remove(_home(run, worker))  # of another disk, which the chief does not see
                locks.enter_context(runs.lock(_home(run, worker)))
        if run.config["training"].get("decay") is not None:
            decay = LinearDecay(run.config["training"]["decay"], run.config["training"]["epochs"], rates)
            callbacks = [decay, *callbacks]
        _fit(run, model, training, validation, devices, callbacks, signals, verbose if worker == 0 else 0, resume)
    return run


def _devices(request: plan.Request) -> tf.distribute.Strategy:
    if request.own is None:
        return strategies.get(request.strategy)
    strategy = request.own.distribute_strategy or tf.distribute.get_strategy()
    if request.strategy not in ("auto", "default"):
        raise ValueError(
            f"strategy={request.strategy!r} is for systems of the zoo. Build and compile a model of your own in the "
            "scope of a strategy (keras_gen.training.strategies.get), and train follows it"
        )
    return strategy


def _model(request: plan.Request, run: runs.Run, devices: tf.distribute.Strategy) -> GenerativeModel:
    config = run.config
    if request.own is not None:
        return request.own
    with devices.scope():
        if config["system"] not in zoo.SYSTEMS:  # a model of the caller's own, resumed without it
            return run.load_model()
        with _policy(config["training"]["precision"]):
            model = zoo.build(
                config["system"],
                run.image_shape,
                seed=config["training"]["seed"],
                learning_rate=config["training"]["learning_rate"],
                **config["settings"],
            )
        if request.initial_weights is not None:
            runs.load_weights(model, pathlib.Path(request.initial_weights))
        return model


@contextlib.contextmanager
def _policy(name: str):
    """A dtype policy for the layers that are built inside, and the former one afterwards."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def _datasets(run: runs.Run, model: GenerativeModel):
    """Training batches, and validation batches or None."""
    options = run.config["training"]
    training = _dataset(run, "train", steps=options["steps"])
    if stages := model.data_stages(options["batch_size"]):
        steps = training.info.num_batches
        training = sources.staged([_dataset(run, "train", steps=steps, **stage) for stage in stages])
    validation = None
    if run.config["data"]["splits"]["validation"]:
        validation = _dataset(run, "validation")
        if run.config["data"].get("drop_remainder") and validation.info.num_examples >= options["batch_size"]:
            validation = _dataset(run, "validation", drop_remainder=True)
    for field in model.image_fields:
        if field not in training.info.fields:
            raise ValueError(
                f"This {type(model).__name__} learns from {' and '.join(model.image_fields)}; {training.info.source} "
                f"has {', '.join(training.info.fields)}"
            )
    classes, names = getattr(model, "num_classes", None), training.info.label_names
    if classes and "label" not in training.info.fields:
        raise ValueError(f"num_classes={classes} needs data with labels; {training.info.source} has none")
    if classes and names and len(names) > classes:
        raise ValueError(f"num_classes={classes} is too small: {training.info.source} has {len(names)} classes")
    if getattr(model, "supervised", False) and "labelled_image" not in training.info.fields:
        raise ValueError("supervised=True learns from the labels of some images: say of how many (--labelled 1000)")
    return training, validation


def _dataset(run: runs.Run, role: str, **options) -> tf.data.Dataset:
    dataset = run.dataset(role, **options)
    fields = [name for name, spec in dataset.info.fields.items() if spec.dtype != tf.string]
    if len(fields) == len(dataset.info.fields) or len(tf.config.list_logical_devices("GPU")) < 2:
        return dataset
    return run.dataset(role, fields=fields, **options)  # strategies cannot copy texts to GPUs


def _fit(run, model, training, validation, devices, more_callbacks, signals, verbose, resume) -> None:
    options, worker = run.config["training"], strategies.task_of(devices)
    home = _home(run, worker)
    metric = None if model.monitor is None else model.monitor if validation is None else f"val_{model.monitor}"
    say = print if verbose else lambda *_: None

    session = Session(model, devices, Checkpoints(home / "checkpoints"), run.config)
    found, begun = session.restore(spare=run.checkpoints), _begun(run)
    with strategies.together(devices):
        if begun and not found and worker == 0:
            raise FileNotFoundError(_lost(run))
    history, done = History(run.metrics_file if worker == 0 else None, session.rows), session.state.epoch
    if found:
        _mend(run, model, history, metric, devices)
    if done >= options["epochs"]:
        say(f"{run.path} has finished its {done} epochs. To go on: --resume with --epochs N, N > {done}")
        return
    if options["patience"] and history.waited(metric) >= options["patience"]:
        say(
            f"{run.path} stopped after epoch {done}: {metric} was best in epoch {history.best(metric)}. "
            f"To go on: --resume with --patience N, N > {options['patience']}"
        )
        return
    if worker == 0 and resume:
        runs.write_json(run.path / "config.json", run.config)
    _announce(run, model, training, devices, session, say)
    keep = [
        StopOnNaN(),
        KeepHistory(history),
        *more_callbacks,
        KeepBest(history, metric, run if worker == 0 else None),
    ]
    if worker == 0:
        keep.append(keras.callbacks.TensorBoard(run.tensorboard, write_graph=False))
        keep.append(SampleGrid(run.samples, _first_batch(training if validation is None else validation)))
    if isinstance(model, AdversarialModel) and worker == 0:
        keep.append(ReportTrouble(say))
    keep.append(StopWhenWaiting(history, metric, options["patience"]))

    start = time.perf_counter()
    try:
        if (
            not found
            and isinstance(model, Text2Image)
            and run.config["settings"]
            and not options.get("initial_weights")
        ):
            pretrain(run, model, training, validation, devices, home, signals, say, verbose)
        session.fit(
            training,
            validation,
            epochs=options["epochs"],
            history=history,
            callbacks=keep,
            signals=signals,
            verbose=verbose,
        )
    except FloatingPointError as error:
        raise FloatingPointError(f"{error}. {_kept(run, history, metric)}") from None
    except tf.errors.InvalidArgumentError as error:
        if not (player := player_in(error)):
            raise
        raise FloatingPointError(
            f"The loss or a gradient of the player {player!r} became NaN or infinite. {ADVICE}. "
            f"{_kept(run, history, metric)}"
        ) from None
    finally:
        if worker == 0:
            try:
                write_card(run)
            except files.UnwritableError as error:  # the error that ends the training says more
                warn(str(error))
    say(f"Trained in {time.perf_counter() - start:.0f} s. {_kept(run, history, metric)}")


def _begun(run: runs.Run) -> bool:
    """Whether an epoch was finished here, so that there must be a state."""
    return run.model_file.exists() or run.metrics_file.exists()


def _lost(run: runs.Run) -> str:
    """What a run without states can still be used for."""
    source = run.config["data"]["source"]
    lost = f"{run.checkpoints} holds no state to continue from, so nothing was changed."
    anew = f"keras-gen train {run.config['system']} --data {source}"
    if run.model_file.is_file():
        lost += (
            f" {run.model_file.name} has the weights of the best epoch: start a new run from them ({anew} "
            f"--initial-weights {run.path} --out NEW_RUN),"
        )
    return f"{lost} Copy the folder back from a backup, or train anew ({anew} --out {run.path} --overwrite)"


def _mend(run: runs.Run, model: GenerativeModel, history: History, metric: str | None, devices) -> None:
    """Write again what is lost or damaged and what the state has: metrics.csv and model.keras."""
    chief, problem = strategies.task_of(devices) == 0, None
    if not history.rows:
        return
    if chief:
        had = run.metrics_file.is_file() and run.metrics_file.read_text(errors="replace").startswith(history.text())
        if history.write() and not had:
            warn(f"{run.metrics_file} was lost or changed; it was written again from the last state")
        try:
            run.check_model_file()
        except (ValueError, FileNotFoundError) as error:
            problem = error
    if strategies.gather(devices, [problem is not None]).any():
        save_model(model, run if chief else None)
    if problem:
        best, last = history.best(metric), len(history.rows)
        lost = "" if best == last else f", since the weights of the best epoch, {best}, are lost"
        warn(f"{problem}. It now holds epoch {last}{lost}")


def _home(run: runs.Run, worker: int) -> pathlib.Path:
    """Where a worker keeps its states: the run directory for the chief, else a folder of its own inside."""
    return run.path if worker == 0 else run.checkpoints / f"worker_{worker}"


def _announce(run, model, training, devices, session, say) -> None:
    info, config = training.info, run.config
    height, width, channels = run.image_shape
    weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    say(
        f"{type(model).__name__}, {weights:,} weights, on {info.num_examples:,} images {width}x{height}x{channels} of "
        f"{info.source} ({info.split}); {strategies.describe(devices)}, {config['training']['precision']}"
        + (f"; going on after {session.state}" if session.state > (0, 0) else "")
    )
    if info.skipped:
        say(f"{len(info.skipped)} files could not be read and are left out, e.g. {info.skipped[0]}")


def _kept(run: runs.Run, history: History, metric: str | None) -> str:
    best = history.best(metric)
    if not best:
        return "No epoch was finished, so there is no model.keras."
    value = "" if metric is None else f", {metric} {history.rows[best - 1][metric]:.6g}"
    return f"{run.model_file} holds the best epoch, {best} of {len(history.rows)}{value}."


def _first_batch(dataset: tf.data.Dataset) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in next(iter(dataset)).items()}
