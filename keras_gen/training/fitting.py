"""The training of a run whose arguments are checked: data, model, callbacks and `fit` under a strategy."""

import contextlib
import os
import pathlib
import secrets
import time

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data as sources
from keras_gen import files, runs, zoo
from keras_gen.data.sources.skipped import summarize
from keras_gen.data.transforms.domains import EmptyClassError
from keras_gen.models import AdversarialModel, GenerativeModel
from keras_gen.models.core.finite_check import PlayerError
from keras_gen.models.core.host import host_value
from keras_gen.progress import counted, report
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History

from . import fingerprints, strategies
from .amounts import few_images
from .callbacks import (
    ADVICE,
    EarlyStop,
    LinearDecay,
    LogToCSV,
    ReportDiagnostics,
    SaveBestModel,
    StopOnNaN,
    optimizers_of,
    rescheduled,
    save_model,
)
from .card import write_card
from .config import TrainConfig
from .new_run import binarize_of, new_run, pretraining_of
from .pretraining import announcement, pretrain
from .previews import SampleGrid, mixed_batch
from .resume import SCHEDULE, resumed
from .session import Session, Stopped, warn
from .signals import StopSignals, end_by
from .source import without_validation
from .timing import ReportProgress
from .views import value_names

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
    request: TrainConfig,
    out: str | os.PathLike,
    *,
    content: dict | None,
    notes_shown: list[str],
    callbacks: list[keras.callbacks.Callback],
    verbose: int,
) -> runs.Run:
    """What `keras_gen.train` does once its arguments are checked, with the same errors.

    Args:
        request: the options.
        out: the run directory.
        content: the content of a new run's config.json; None computes it here, for a resume or where several workers
            must learn of each other's errors.
        notes_shown: notes about the data that the user has seen.
        callbacks: as for `keras_gen.train`.
        verbose: as for `keras_gen.train`.
    """
    try:
        devices = _devices(request)  # before anything else: several workers cannot start after other operations
    except WORKER_LOST as error:
        raise _worker_lost(out) from error
    with StopSignals() as signals:  # not before the strategy: that of several workers takes SIGTERM for itself
        try:
            run = _train(request, out, content, notes_shown, devices, callbacks, signals, verbose)
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
    request: TrainConfig,
    out: str | os.PathLike,
    content: dict | None,
    notes_shown: list[str],
    devices: tf.distribute.Strategy,
    callbacks: list[keras.callbacks.Callback],
    signals: StopSignals,
    verbose: int,
) -> runs.Run:
    worker, resume = strategies.task_of(devices), request.resume

    def say(text: str) -> None:
        notes_shown.append(text)
        if verbose and worker == 0:
            print(text, flush=True)

    with contextlib.ExitStack() as locks:
        with strategies.together(devices):
            if resume:
                home = _home(runs.Run.open(out), worker)
                locks.enter_context(runs.lock(home))
                run = runs.Run.open(out)  # as the process that held the lock before has left it
                run.config = resumed(request, run.config)
            elif content is not None:
                run = runs.Run(pathlib.Path(out), content)
            else:
                if worker == 0:
                    runs.check_free(out, overwrite=request.overwrite)
                run = runs.Run(pathlib.Path(out), new_run(request, say))
        if not resume:  # the same for all workers
            number = np.frombuffer(secrets.token_bytes(8), np.int32)
            run.config["id"] = strategies.gather(devices, number)[0].astype(">i4").tobytes().hex()
        report("Building the model")
        model = _model(request, run, devices)
        strategies.check_options(model, devices, run.config["training"]["batch_size"])
        rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(model)]
        run.config["data"]["binarize"] = binarize_of(model, run.config["data"]["binarize"])
        report("Reading the data")
        states = Checkpoints(_home(run, worker) / "checkpoints").states
        finished = int(strategies.gather(devices, [states[-1].epoch if states else 0]).max())
        with strategies.together(devices):
            training, validation, without = _datasets(run, model)
            names = value_names(training.info.names, run.config["data"])
            model.take_names(names)
            if names and not resume:
                run.config["names"] = names
            infos = {"train": training.info} | ({} if validation is None else {"validation": validation.info})
            run.config["fingerprints"] = fingerprints.compare(
                run.config, infos, finished, resume=resume, data_changed=request.data_changed
            )
        fingerprints.check_workers_agree(devices, run.config["fingerprints"])
        with strategies.together(devices):
            if worker == 0 and not resume:
                locks.enter_context(runs.lock(run.path))
                runs.Run.create(out, run.config, overwrite=request.overwrite, locked=True)
        with strategies.together(devices):  # not before the chief has emptied the run directory
            if worker and not resume:
                files.remove(_home(run, worker))  # of another disk, which the chief does not see
                locks.enter_context(runs.lock(_home(run, worker)))
        verbose = verbose if worker == 0 else 0
        if verbose and not resume:
            default = request.own_model is None and request.batch_size is None
            usual = zoo.get(run.config["system"]).batch_size if default else None
            held_out = None if validation is None else validation.info
            if text := few_images(run.config, training.info, held_out, usual_batch=usual, without=without):
                print(text)
        _fit(run, model, training, validation, devices, rates, callbacks, signals, verbose, resume, notes_shown)
    return run


def _devices(request: TrainConfig) -> tf.distribute.Strategy:
    if request.own_model is None:
        return strategies.get(request.strategy)
    strategy = request.own_model.distribute_strategy or tf.distribute.get_strategy()
    if request.strategy not in ("auto", "default"):
        raise ValueError(
            f"strategy={request.strategy!r} is for systems of the zoo. Build and compile a model of your own in the "
            "scope of a strategy (keras_gen.training.strategies.get), and train follows it"
        )
    return strategy


def _model(request: TrainConfig, run: runs.Run, devices: tf.distribute.Strategy) -> GenerativeModel:
    config = run.config
    if request.own_model is not None:
        return request.own_model
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
    """Training batches; validation batches or None; why there are none, where a class is too small for both."""
    data, steps, without = run.config["data"], run.config["training"]["steps"], ""
    try:
        training = _dataset(run, "train", steps=steps)
        data["binarize"] = training.info.binarize  # validation and a resumed run do what was chosen
        validation = _validation(run)
    except EmptyClassError as error:
        if not data["splits"]["validation"]:
            raise
        data["splits"] = without_validation(data["splits"])
        without = str(error).rstrip(".")
        training, validation = _dataset(run, "train", steps=steps), None
        data["binarize"] = training.info.binarize
    if stages := model.data_stages(run.config["training"]["batch_size"]):
        steps = training.info.num_batches
        training = sources.multi_resolution([_dataset(run, "train", steps=steps, **stage) for stage in stages])
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
    if getattr(model, "supervised", False) and "labeled_image" not in training.info.fields:
        raise ValueError("supervised=True learns from the labels of some images: say of how many (--labeled 1000)")
    return training, validation, without


def _validation(run: runs.Run) -> tf.data.Dataset | None:
    if not run.config["data"]["splits"]["validation"]:
        return None
    validation, batch_size = _dataset(run, "validation"), run.config["training"]["batch_size"]
    if run.config["data"].get("drop_remainder") and validation.info.num_examples >= batch_size:
        return _dataset(run, "validation", drop_remainder=True)
    return validation


def _dataset(run: runs.Run, role: str, **options) -> tf.data.Dataset:
    dataset = run.dataset(role, **options)
    fields = [name for name, spec in dataset.info.fields.items() if spec.dtype != tf.string]
    if len(fields) == len(dataset.info.fields) or len(tf.config.list_logical_devices("GPU")) < 2:
        return dataset
    return run.dataset(role, fields=fields, **options)  # strategies cannot copy texts to GPUs


def _fit(
    run, model, training, validation, devices, rates, more_callbacks, signals, verbose, resume, notes_shown
) -> None:
    options, worker = run.config["training"], strategies.task_of(devices)
    home = _home(run, worker)
    metric = None if model.monitor is None else model.monitor if validation is None else f"val_{model.monitor}"
    say = print if verbose else lambda *_: None

    session = Session(model, devices, Checkpoints(home / "checkpoints"), run.config)
    report("Looking for a state to continue from")
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
    if options["patience"] and history.epochs_since_best(metric) >= options["patience"]:
        say(
            f"{run.path} stopped after epoch {done}: {metric} was best in epoch {history.best(metric)}. "
            f"To go on: --resume with --patience N, N > {options['patience']}"
        )
        return
    decay = _decay(run, session, rates, say)
    if worker == 0 and resume:
        runs.write_json(run.path / "config.json", run.config)
    _announce(run, model, training, validation, devices, session, notes_shown, say)
    stages = {} if found else pretraining_of(run.config)
    if stages:
        say(announcement(stages))
    report("Making the first batch")
    keep = [
        ReportProgress(
            "Epoch",
            options["epochs"],
            validation=0 if validation is None else validation.info.num_batches,
            say=say,
        ),
        StopOnNaN(),
        LogToCSV(history),
        *decay,
        *more_callbacks,
        SaveBestModel(history, metric, run if worker == 0 else None),
    ]
    if worker == 0:
        keep.append(keras.callbacks.TensorBoard(run.tensorboard, write_graph=False))
        keep.append(SampleGrid(run.samples, _first_batch(training) if validation is None else mixed_batch(validation)))
    if isinstance(model, AdversarialModel) and worker == 0:
        keep.append(ReportDiagnostics(say))
    keep.append(EarlyStop(history, metric, options["patience"]))

    start = time.perf_counter()
    try:
        if stages:
            pretrain(run, model, training, validation, devices, home, signals, say, verbose, stages)
        session.fit(
            training,
            validation,
            epochs=options["epochs"],
            history=history,
            callbacks=keep,
            signals=signals,
            verbose=verbose,
        )
    except PlayerError as error:
        raise FloatingPointError(
            f"The loss or a gradient of the player {error.player!r} became NaN or infinite. {ADVICE}. "
            f"{_kept(run, history, metric)}"
        ) from None
    except FloatingPointError as error:
        raise FloatingPointError(f"{error}. {_kept(run, history, metric)}") from None
    finally:
        if worker == 0:
            try:
                write_card(run)
            except files.UnwritableError as error:  # the error that ends the training says more
                warn(str(error))
    say(f"Trained in {time.perf_counter() - start:.0f} s. {_kept(run, history, metric)}")


def _decay(run: runs.Run, session: Session, rates: list[float], say) -> list[LinearDecay]:
    """The decay of the learning rates, where the run has one, with the changes of its number of epochs."""
    options = run.config["training"]
    if options.get("decay") is None:
        return []
    planned = session.planned or options
    schedule = planned.get(SCHEDULE, [[0, planned["epochs"]]])
    begun = session.state.epoch + (session.state.step > 0)
    changed = planned["epochs"] != options["epochs"]
    if changed:
        schedule = rescheduled(options["decay"], schedule, options["epochs"], begun)
    options.pop(SCHEDULE, None)
    if len(schedule) > 1:
        options[SCHEDULE] = schedule
    decay = LinearDecay(options["decay"], schedule, rates)
    if changed and len(schedule) > 1:
        reached = decay.factor(begun - 1)
        say(
            f"The learning rates continue at {reached:.3g} of their first values, where epoch {begun} ended, and fall "
            f"towards 0 over the {options['epochs'] - begun} further epochs"
        )
    return [decay]


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


def _announce(run, model, training, validation, devices, session, notes_shown, say) -> None:
    info, config = training.info, run.config
    height, width, channels = run.image_shape
    images = f"{counted(info.num_examples, 'image')} {width}x{height}x{channels}"
    weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    say(
        f"{type(model).__name__}, {weights:,} weights, on {images} of {info.source} ({info.split}); "
        f"{strategies.describe(devices)}, {config['training']['precision']}"
        + (f"; going on after {session.state}" if session.state > (0, 0) else "")
    )
    for note in info.notes:
        if note not in notes_shown:
            say(note)
    used = [dataset.info for dataset in (training, validation) if dataset is not None]
    kept = sum(each.num_examples for each in used) if "image" in info.fields else None  # of two domains, the larger
    if summary := summarize((each for info in used for each in info.skipped), kept):
        say(summary)


def _kept(run: runs.Run, history: History, metric: str | None) -> str:
    best = history.best(metric)
    if not best:
        return "No epoch was finished, so there is no model.keras."
    value = "" if metric is None else f", {metric} {history.rows[best - 1][metric]:.6g}"
    return f"{run.model_file} holds the best epoch, {best} of {len(history.rows)}{value}."


def _first_batch(dataset: tf.data.Dataset) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in next(iter(dataset)).items()}
