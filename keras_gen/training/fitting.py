"""The training of a run whose arguments are checked: data, model, callbacks and `fit` under a strategy."""

import contextlib
import dataclasses
import functools
import os
import pathlib
import secrets
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data as sources
from keras_gen import files, runs, zoo
from keras_gen.data.sources.skipped import summarize
from keras_gen.data.transforms.domains import EmptyClassError
from keras_gen.models import GenerativeModel
from keras_gen.models.core.finite_check import PlayerError
from keras_gen.models.core.host import host_value
from keras_gen.models.core.protocols import Diagnoses, HasClasses, SemiSupervised, TrainsInPhases
from keras_gen.progress import counted, duration, report
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History

from . import fingerprints, strategies
from .amounts import few_images
from .calibration import Calibration
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
from .length import TRAINING, Length, Part, Plan, fit_into, follow_length, length_of, pretraining_epochs
from .new_run import binarize_of, new_run, pretraining_of
from .pretraining import Pretraining, announcement
from .previews import SampleGrid, mixed_batch
from .resume import SCHEDULE, resumed
from .session import Session, Stopped, warn
from .signals import StopSignals, end_by
from .source import without_validation
from .timing import ReportProgress, milliseconds
from .views import value_names

# however long the measurement takes, the training has at least this share of the requested minutes
MIN_SHARE = 0.5
# errors that TensorFlow raises in the other workers when one has ended
WORKER_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)


class _Datasets(NamedTuple):
    """The data of a run.

    Attributes:
        training: Training batches.
        validation: Validation batches, or None.
        missing: Why there is no validation, if a class is too small for both splits; else empty.
    """

    training: tf.data.Dataset
    validation: tf.data.Dataset | None
    missing: str = ""

    @property
    def infos(self) -> dict[str, sources.DataInfo]:
        """Role (`train`, `validation`) -> information about its data."""
        infos = {"train": self.training.info}
        return infos if self.validation is None else infos | {"validation": self.validation.info}


@dataclasses.dataclass(frozen=True)
class _Call:
    """A call of `train`.

    Attributes:
        config: The options.
        out: The run directory.
        callbacks: Further callbacks.
        verbose: As for `keras_gen.train`; 0 for a worker that is not the chief.
        devices: The strategy to train under.
        signals: The handler of SIGINT and SIGTERM.
        notes_shown: Messages that the user has seen; `say` appends to it.
    """

    config: TrainConfig
    out: str | os.PathLike
    callbacks: list[keras.callbacks.Callback]
    verbose: int
    devices: tf.distribute.Strategy
    signals: StopSignals
    notes_shown: list[str]

    @property
    def worker(self) -> int:
        """The number of this process among the workers; 0 is the chief."""
        return strategies.task_of(self.devices)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run directory."""
        return self.worker == 0

    def home(self, run: runs.Run) -> pathlib.Path:
        """Returns the directory of this worker's states: the run directory for the chief, else a folder inside it."""
        return run.path if self.is_chief else run.checkpoints / f"worker_{self.worker}"

    def say(self, text: str) -> None:
        """Records a message, and prints it unless the training is silent."""
        self.notes_shown.append(text)
        if self.verbose:
            print(text, flush=True)


@dataclasses.dataclass(frozen=True)
class _Job:
    """A training that is ready to start or to continue.

    Attributes:
        call: The call of `train`.
        run: The run.
        model: The compiled model.
        datasets: Its data.
        learning_rates: The initial learning rate of every optimizer.
        session: The training that continues from its last state.
        history: The metrics of the finished epochs.
        monitor: The metric that selects the best epoch; None selects the last.
    """

    call: _Call
    run: runs.Run
    model: GenerativeModel
    datasets: _Datasets
    learning_rates: list[float]
    session: Session
    history: History
    monitor: str | None

    @property
    def options(self) -> dict[str, Any]:
        """`training` of config.json."""
        return self.run.config["training"]


def train(
    config: TrainConfig,
    out: str | os.PathLike,
    *,
    content: dict[str, Any] | None,
    notes_shown: list[str],
    callbacks: list[keras.callbacks.Callback],
    verbose: int,
) -> runs.Run:
    """Trains a run whose arguments are checked; raises the same errors as `keras_gen.train`.

    Args:
        config: The options.
        out: The run directory.
        content: The content of a new run's config.json. With None it is computed here: for a resumed run, and for
            several workers, which must learn of each other's errors.
        notes_shown: Notes about the data that the user has already seen.
        callbacks: As for `keras_gen.train`.
        verbose: As for `keras_gen.train`.

    Returns:
        The trained run.
    """
    try:
        devices = _devices(config)  # before anything else: several workers cannot start after other operations
    except WORKER_LOST as error:
        raise _worker_lost(out) from error
    verbose = verbose if strategies.task_of(devices) == 0 else 0
    with StopSignals() as signals:  # after the strategy: that of several workers installs its own handler of SIGTERM
        call = _Call(config, out, callbacks, verbose, devices, signals, notes_shown)
        try:
            run = _train(call, content)
        except Stopped as stop:
            warn(f"stopped by {stop}, which is saved. {_how_to_continue(out)}")
            raise end_by(stop.signal) from None
        except (KeyboardInterrupt, SystemExit):
            warn(f"stopped at once. {_how_to_continue(out)}")
            raise
        except WORKER_LOST as error:
            if not strategies.has_workers(devices):
                raise
            raise _worker_lost(out) from error
    if signals.received:  # at the end of the last epoch
        raise end_by(signals.received)
    return run


def _devices(config: TrainConfig) -> tf.distribute.Strategy:
    if config.own_model is None:
        return strategies.get(config.strategy)
    strategy = config.own_model.distribute_strategy or tf.distribute.get_strategy()
    if config.strategy not in ("auto", "default"):
        raise ValueError(
            f"Expected strategy='auto' or 'default' for a model of your own; received {config.strategy!r}. Build and "
            "compile it in the scope of a strategy (keras_gen.training.strategies.get), and train uses that strategy"
        )
    return strategy


def _worker_lost(out: str | os.PathLike) -> strategies.WorkerLostError:
    return strategies.WorkerLostError(
        f"Another worker has ended, or cannot be reached. Start all workers again. {_how_to_continue(out)}"
    )


def _how_to_continue(out: str | os.PathLike) -> str:
    if (pathlib.Path(out) / "config.json").is_file():
        return f"To continue: keras-gen train --resume --out {out}"
    return "No run was created yet: start again with the same command"


def _train(call: _Call, content: dict[str, Any] | None) -> runs.Run:
    with contextlib.ExitStack() as locks:
        run = _open_run(call, content, locks)

        report("Building the model")
        model = _build_model(call, run)
        strategies.check_options(model, call.devices, run.config["training"]["batch_size"])
        run.config["data"]["binarize"] = binarize_of(model, run.config["data"]["binarize"])

        report("Reading the data")
        datasets = _load_data(call, run, model)
        if not call.config.resume:
            model, datasets = _fix_length(call, run, model, datasets)
            _create_directory(call, run, locks)
            _report_few_images(call, run, datasets)

        learning_rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(model)]
        job = _restore(call, run, model, datasets, learning_rates)
        if finished := _why_finished(job):
            call.say(finished)
        else:
            _fit(job)
    return run


# the run and its directory


def _open_run(call: _Call, content: dict[str, Any] | None, locks: contextlib.ExitStack) -> runs.Run:
    """Returns the run: the one in the directory, locked and with the changes of a resume, or a new one."""
    with strategies.together(call.devices):
        if call.config.resume:
            locks.enter_context(runs.lock(call.home(runs.Run.open(call.out))))
            run = runs.Run.open(call.out)  # as the process that held the lock before has left it
            run.config = resumed(call.config, run.config)
        elif content is not None:
            run = runs.Run(pathlib.Path(call.out), content)
        else:
            if call.is_chief:
                runs.check_free(call.out, overwrite=call.config.overwrite)
            run = runs.Run(pathlib.Path(call.out), new_run(call.config, call.say))
    if not call.config.resume:  # a random id, the same for all workers
        number = np.frombuffer(secrets.token_bytes(8), np.int32)
        run.config["id"] = strategies.gather(call.devices, number)[0].astype(">i4").tobytes().hex()
    return run


def _create_directory(call: _Call, run: runs.Run, locks: contextlib.ExitStack) -> None:
    """Creates the directory of a new run, locked; every worker but the chief empties and locks its own folder."""
    with strategies.together(call.devices):
        if call.is_chief:
            locks.enter_context(runs.lock(run.path))
            runs.Run.create(call.out, run.config, overwrite=call.config.overwrite, locked=True)
    with strategies.together(call.devices):  # after the chief has emptied the run directory
        if not call.is_chief:
            files.remove(call.home(run))  # on another disk, which the chief does not see
            locks.enter_context(runs.lock(call.home(run)))


# the model


def _build_model(call: _Call, run: runs.Run) -> GenerativeModel:
    content = run.config
    if call.config.own_model is not None:
        return call.config.own_model
    with call.devices.scope():
        if content["system"] not in zoo.SYSTEMS:  # a model of the caller's own, resumed without it
            return run.load_model()
        training = content["training"]
        # as the run began, also if the declaration of the system or of its preset has changed since
        stored = {name: training[name] for name in ("optimizer", "learning_rate_multipliers") if name in training}
        system = dataclasses.replace(zoo.get(content["system"]), **stored)
        with _dtype_policy(training["precision"]):
            model = zoo.build_system(
                system,
                run.image_shape,
                seed=training["seed"],
                learning_rate=training["learning_rate"],
                **content["settings"],
            )
        if call.config.initial_weights is not None:
            runs.load_weights(model, pathlib.Path(call.config.initial_weights))
        return model


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Sets the dtype policy of the layers that are built inside, and restores the former one afterwards."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


# the data


def _load_data(call: _Call, run: runs.Run, model: GenerativeModel) -> _Datasets:
    """Loads the data and compares them with those that a resumed run was trained on.

    config.json gets the names of their values and their fingerprints.
    """
    states = Checkpoints(call.home(run) / "checkpoints").states
    finished = int(strategies.gather(call.devices, [states[-1].epoch if states else 0]).max())
    with strategies.together(call.devices):
        datasets = _datasets(run, model)
        names = value_names(datasets.training.info.names, run.config["data"])
        model.set_names(names)
        if names and not call.config.resume:
            run.config["names"] = names
        run.config["fingerprints"] = fingerprints.compare(
            run.config, datasets.infos, finished, resume=call.config.resume, data_changed=call.config.data_changed
        )
    fingerprints.check_workers_agree(call.devices, run.config["fingerprints"])
    return datasets


def _datasets(run: runs.Run, model: GenerativeModel) -> _Datasets:
    """Returns the data of a run, checked against the fields that the model needs."""
    config, missing = run.config["data"], ""
    steps = functools.partial(_steps, run.config)
    try:
        training = _dataset(run, "train", steps=steps)
        config["binarize"] = training.info.binarize  # the validation and a resumed run use the same
        validation = _validation(run)
    except EmptyClassError as error:
        if not config["splits"]["validation"]:
            raise
        config["splits"] = without_validation(config["splits"])
        missing = str(error).rstrip(".")
        training, validation = _dataset(run, "train", steps=steps), None
        config["binarize"] = training.info.binarize
    if stages := model.data_stages(run.config["training"]["batch_size"]):
        steps = training.info.num_batches
        training = sources.multi_resolution([_dataset(run, "train", steps=steps, **stage) for stage in stages])
    _check_fields(model, training.info)
    return _Datasets(training, validation, missing)


def _steps(content: dict[str, Any], batches: int) -> int | None:
    """Returns the steps of an epoch, for data with a number of batches in one pass; None is one pass."""
    training = content["training"]
    if training["epochs"] is not None:
        return training["steps"]
    updates = training["updates"] or _default_updates(content)
    return length_of(updates, batches, steps=training["steps"]).steps


def _default_updates(content: dict[str, Any]) -> int:
    """Returns the default updates of a run's system; for a model of the caller's own, those of any system."""
    known = content["system"] in zoo.SYSTEMS
    return (zoo.get(content["system"], content["preset"]) if known else zoo.System).updates


def _validation(run: runs.Run, **options) -> tf.data.Dataset | None:
    if not run.config["data"]["splits"]["validation"]:
        return None
    validation, batch_size = _dataset(run, "validation", **options), run.config["training"]["batch_size"]
    if run.config["data"].get("drop_remainder") and validation.info.num_examples >= batch_size:
        return _dataset(run, "validation", drop_remainder=True, **options)
    return validation


def _dataset(run: runs.Run, role: str, **options) -> tf.data.Dataset:
    dataset = run.dataset(role, **options)
    fields = [name for name, spec in dataset.info.fields.items() if spec.dtype != tf.string]
    if len(fields) == len(dataset.info.fields) or len(tf.config.list_logical_devices("GPU")) < 2:
        return dataset
    return run.dataset(role, fields=fields, **options)  # strategies cannot copy strings to GPUs


def _check_fields(model: GenerativeModel, info: sources.DataInfo) -> None:
    """Checks that the data have the fields that a model needs.

    Raises:
        ValueError: If images, labels or labeled images are missing, or there are more classes than the model has.
    """
    for field in model.image_fields:
        if field not in info.fields:
            raise ValueError(
                f"Expected data with {' and '.join(model.image_fields)} for a {type(model).__name__}; {info.source} "
                f"has {', '.join(info.fields)}"
            )
    classes = model.num_classes if isinstance(model, HasClasses) else None
    if classes and "label" not in info.fields:
        raise ValueError(f"Expected data with labels, for num_classes={classes}; {info.source} has none")
    if classes and info.label_names and len(info.label_names) > classes:
        raise ValueError(
            f"Expected num_classes >= {len(info.label_names)}, the number of classes of {info.source}; received "
            f"{classes}"
        )
    if isinstance(model, SemiSupervised) and model.supervised and "labeled_image" not in info.fields:
        raise ValueError(
            "Expected a number of labeled images (--labeled 1000), since supervised=True learns from their labels; "
            "received none"
        )


def _report_few_images(call: _Call, run: runs.Run, datasets: _Datasets) -> None:
    """Reports whether the data are too few for the batch size, the validation or the test."""
    default = call.config.own_model is None and call.config.batch_size is None
    usual = zoo.get(run.config["system"], run.config["preset"]).batch_size if default else None
    validation = None if datasets.validation is None else datasets.validation.info
    text = few_images(run.config, datasets.training.info, validation, usual_batch=usual, without=datasets.missing)
    if text:
        call.say(text)


# the length


def _fix_length(
    call: _Call, run: runs.Run, model: GenerativeModel, datasets: _Datasets
) -> tuple[GenerativeModel, _Datasets]:
    """Completes config.json with the epochs and steps of a new run, and with what follows from them.

    Returns:
        The model and the data, which are built again if they depend on these numbers.
    """
    if run.config["training"]["minutes"] is not None:
        datasets = _fix_measured_epochs(call, run, model, datasets)
    else:
        _fix_epochs(run, datasets)
    if call.config.own_model is None and _follow_length(call, run, datasets):
        model = _build_model(call, run)
        model.set_names(run.config.get("names", {}))
    return model, datasets


def _fix_epochs(run: runs.Run, datasets: _Datasets) -> None:
    """Stores the epochs that the updates take, of the pretraining too."""
    training, steps = run.config["training"], datasets.training.info.num_batches
    if training["epochs"] is None:
        training["epochs"] = length_of(training["updates"], 1, steps=steps).epochs
        if training["steps"] is None and steps != _batches_in_pass(run, datasets):
            training["steps"] = steps
    epochs = pretraining_epochs(pretraining_of(run.config), steps, training["pretraining_epochs"])
    if epochs:
        training["pretraining"] = epochs


def _fix_measured_epochs(call: _Call, run: runs.Run, model: GenerativeModel, datasets: _Datasets) -> _Datasets:
    """Stores the epochs that fit into the requested minutes, and returns the data with as many steps in an epoch."""
    training = run.config["training"]
    plan = _measured_length(call, run, model, datasets)
    training["epochs"], training["steps"] = plan.length
    if plan.pretraining:
        training["pretraining"] = plan.pretraining
    if (training["steps"] or _batches_in_pass(run, datasets)) == datasets.training.info.num_batches:
        return datasets
    return _datasets(run, model)


def _follow_length(call: _Call, run: runs.Run, datasets: _Datasets) -> bool:
    """Stores the settings that follow from the length, and returns whether they differ from their defaults."""
    settings, training = run.config["settings"], run.config["training"]
    length = Length(training["epochs"], datasets.training.info.num_batches)
    following = follow_length(zoo.get(run.config["system"]), settings, run.image_shape, length, training["batch_size"])
    stated = set(call.config.settings)
    if run.config["preset"] is not None:
        stated |= set(zoo.get(run.config["system"]).presets[run.config["preset"]].settings)
    changed = {name: value for name, value in following.items() if name not in stated and value != settings[name]}
    settings |= changed
    return bool(changed)


def _batches_in_pass(run: runs.Run, datasets: _Datasets) -> int:
    """Returns the number of training batches in one pass over the data, at least 1."""
    count, size = datasets.training.info.num_examples, run.config["training"]["batch_size"]
    whole = run.config["data"].get("drop_remainder")
    return max(1, count // size if whole else -(-count // size))


def _measured_length(call: _Call, run: runs.Run, model: GenerativeModel, datasets: _Datasets) -> Plan:
    """Returns the length of a training that takes the requested minutes, from the speed of its first steps."""
    training, updates = run.config["training"], pretraining_of(run.config)
    seconds, default = 60 * training["minutes"], _default_updates(run.config)
    calibration = Calibration(datasets.training, datasets.validation, training["batch_size"], call.devices)
    parts = []
    for stage in zoo.get(run.config["system"]).pretraining if updates else ():
        if updates.get(stage.name) and training["pretraining_epochs"] != 0:
            with call.devices.scope():
                trained = stage.build(model, run.image_shape, training["seed"], run.config["settings"])
            speed = calibration.measure(trained, updates[stage.name])
            parts.append(Part(stage.name, updates[stage.name], speed))
    speed = calibration.measure(model, default, _preview_batch(datasets))
    parts.append(Part(TRAINING, default, speed))
    spent = calibration.spent
    plan = fit_into(
        max(seconds - spent, MIN_SHARE * seconds),
        parts,
        _batches_in_pass(run, datasets),
        steps=training["steps"],
        pretraining=training["pretraining_epochs"],
        min_epochs=2 * len(model.phases) if isinstance(model, TrainsInPhases) else 1,
    )
    call.say(
        f"Measured in {duration(spent)}: {milliseconds(speed.step)} for an update, {speed.between:.1f} s between two "
        f"epochs. {counted(plan.length.epochs, 'epoch')} of "
        f"{counted(plan.length.steps or _batches_in_pass(run, datasets), 'update')} take about {duration(plan.seconds)}"
        + (" with the pretraining" if len(parts) > 1 else "")
    )
    return plan


# the state


def _restore(
    call: _Call, run: runs.Run, model: GenerativeModel, datasets: _Datasets, learning_rates: list[float]
) -> _Job:
    """Restores the last state of the run, if it has one, and the files that are lost or damaged.

    Raises:
        FileNotFoundError: If epochs were finished here and there is no state.
    """
    session = Session(model, call.devices, Checkpoints(call.home(run) / "checkpoints"), run.config)
    report("Restoring the last state")
    restored = session.restore(spare=run.checkpoints)
    was_trained = run.model_file.exists() or run.metrics_file.exists()
    with strategies.together(call.devices):
        if was_trained and not restored and call.is_chief:
            raise FileNotFoundError(_states_lost(run))
    history = History(run.metrics_file if call.is_chief else None, session.rows)
    monitor = model.monitor
    if monitor is not None and datasets.validation is not None:
        monitor = f"val_{monitor}"
    job = _Job(call, run, model, datasets, learning_rates, session, history, monitor)
    if restored:
        _restore_files(job)
    return job


def _states_lost(run: runs.Run) -> str:
    """Returns the message for a run without states; it says how the run can still be used."""
    again = f"keras-gen train {run.config['system']} --data {run.config['data']['source']}"
    message = f"Expected a state to continue from in {run.checkpoints}; it has none, and nothing was changed."
    if run.model_file.is_file():
        message += (
            f" {run.model_file.name} has the weights of the best epoch: start a new run from them ({again} "
            f"--initial-weights {run.path} --out NEW_RUN),"
        )
    return f"{message} Copy the folder back from a backup, or train again ({again} --out {run.path} --overwrite)"


def _restore_files(job: _Job) -> None:
    """Writes metrics.csv and model.keras from the state if they are lost or damaged."""
    call, run, history, problem = job.call, job.run, job.history, None
    if not history.rows:
        return
    if call.is_chief:
        complete = run.metrics_file.is_file() and run.metrics_file.read_text(errors="replace").startswith(
            history.text()
        )
        if history.write() and not complete:
            warn(f"{run.metrics_file} was lost or changed; it was written again from the last state")
        try:
            run.check_model_file()
        except (ValueError, FileNotFoundError) as error:
            problem = error
    if strategies.gather(call.devices, [problem is not None]).any():
        save_model(job.model, run if call.is_chief else None)
    if problem:
        best, last = history.best(job.monitor), len(history.rows)
        lost = "" if best == last else f", since the weights of the best epoch, {best}, are lost"
        warn(f"{problem}. It now has the weights of epoch {last}{lost}")


def _why_finished(job: _Job) -> str:
    """Returns why there is nothing left to train, and how to continue; empty if there is."""
    run, options, history = job.run, job.options, job.history
    done = job.session.state.epoch
    if done >= options["epochs"]:
        return f"{run.path} has finished its {done} epochs. To continue: --resume with --epochs N, N > {done}"
    if options["patience"] and history.epochs_since_best(job.monitor) >= options["patience"]:
        return (
            f"{run.path} stopped after epoch {done}: {job.monitor} was best in epoch {history.best(job.monitor)}. "
            f"To continue: --resume with --patience N, N > {options['patience']}"
        )
    return ""


# the training


def _fit(job: _Job) -> None:
    """Pretrains the stages of a new run, then trains the model."""
    call, run, datasets = job.call, job.run, job.datasets
    decay = _learning_rate_decay(job)
    if call.is_chief and call.config.resume:
        runs.write_json(run.path / "config.json", run.config)

    _announce(job)
    epochs_of_stages = job.options.get("pretraining", {}) if job.session.planned is None else {}
    stages = zoo.get(run.config["system"]).pretraining if epochs_of_stages else ()
    if stages:
        call.say(announcement(stages, epochs_of_stages))

    report("Loading the first batch")
    callbacks = _callbacks(job, decay)
    start = time.perf_counter()
    with _explained_errors(job):
        if stages:
            Pretraining(
                run,
                job.model,
                datasets.training,
                datasets.validation,
                call.devices,
                call.home(run),
                call.signals,
                call.say,
                call.verbose,
                epochs_of_stages,
            ).train(stages)
        job.session.fit(
            datasets.training,
            datasets.validation,
            epochs=job.options["epochs"],
            history=job.history,
            callbacks=callbacks,
            signals=call.signals,
            verbose=call.verbose,
        )
    call.say(f"Trained in {time.perf_counter() - start:.0f} s. {_best_epoch(job)}")


def _learning_rate_decay(job: _Job) -> list[LinearDecay]:
    """Returns the decay of the learning rates, if the run has one, with the changes of its number of epochs."""
    options, session = job.options, job.session
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
    decay = LinearDecay(options["decay"], schedule, job.learning_rates)
    if changed and len(schedule) > 1:
        job.call.say(
            f"The learning rates continue at {decay.factor(begun - 1):.3g} of their initial values, as at the end of "
            f"epoch {begun}, and fall linearly to 0 over the {options['epochs'] - begun} further epochs"
        )
    return [decay]


def _announce(job: _Job) -> None:
    """Reports the model, the data and the devices, and what was noticed about the data."""
    call, model, session, info = job.call, job.model, job.session, job.datasets.training.info
    height, width, channels = job.run.image_shape
    images = f"{counted(info.num_examples, 'image')} {width}x{height}x{channels}"
    weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    call.say(
        f"{type(model).__name__}, {weights:,} weights, on {images} of {info.source} ({info.split}); "
        f"{strategies.describe(call.devices)}, {job.options['precision']}"
        + (f"; continuing after {session.state}" if session.state > (0, 0) else "")
    )
    for note in info.notes:
        if note not in call.notes_shown:
            call.say(note)
    infos = list(job.datasets.infos.values())
    # without the field "image" there are two domains, and num_examples counts the larger one
    used = sum(each.num_examples for each in infos) if "image" in info.fields else None
    if summary := summarize((skipped for each in infos for skipped in each.skipped), used):
        call.say(summary)


def _callbacks(job: _Job, decay: list[LinearDecay]) -> list[keras.callbacks.Callback]:
    """Returns the callbacks in the order in which they are called; `Session.fit` adds the one that saves the state."""
    call, run, history = job.call, job.run, job.history
    datasets = job.datasets
    num_validation = 0 if datasets.validation is None else datasets.validation.info.num_batches
    callbacks = [
        ReportProgress(
            "Epoch",
            job.options["epochs"],
            validation=num_validation,
            faster_at_first=isinstance(job.model, TrainsInPhases),
            say=call.say,
        ),
        StopOnNaN(),
        LogToCSV(history),
        *decay,
        *call.callbacks,
        SaveBestModel(history, job.monitor, run if call.is_chief else None),
    ]
    if call.is_chief:
        grid = SampleGrid(run.samples, _preview_batch(datasets), originals=_originals(job))
        callbacks += [keras.callbacks.TensorBoard(run.tensorboard, write_graph=False), grid]
        if isinstance(job.model, Diagnoses):
            callbacks.append(ReportDiagnostics(call.say))
    return [*callbacks, EarlyStop(history, job.monitor, job.options["patience"])]


def _preview_batch(datasets: _Datasets) -> dict[str, np.ndarray]:
    """Returns the examples of the preview pictures."""
    if datasets.validation is not None:
        return mixed_batch(datasets.validation)
    return _first_batch(datasets.training)


def _originals(job: _Job) -> dict[str, np.ndarray] | None:
    """Returns the images of the previews before binarization; None if the model sees them as they are."""
    run = job.run
    if run.config["data"]["binarize"] is None:
        return None
    validation = None if job.datasets.validation is None else _validation(run, binarize=None)
    if validation is not None:
        return mixed_batch(validation)
    # the same order and augmentation: both depend on the seed and the epoch alone
    return _first_batch(_dataset(run, "train", steps=job.options["steps"], binarize=None))


def _first_batch(dataset: tf.data.Dataset) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in next(iter(dataset)).items()}


@contextlib.contextmanager
def _explained_errors(job: _Job) -> Iterator[None]:
    """Completes errors about NaN with the epoch that is saved, and writes the model card however the training ends."""
    try:
        yield
    except PlayerError as error:
        raise FloatingPointError(
            f"The loss or a gradient of the player {error.player!r} became NaN or infinite. {ADVICE}. "
            f"{_best_epoch(job)}"
        ) from None
    except FloatingPointError as error:
        raise FloatingPointError(f"{error}. {_best_epoch(job)}") from None
    finally:
        if job.call.is_chief:
            try:
                write_card(job.run)
            except files.UnwritableError as error:  # the error that ends the training says more
                warn(str(error))


def _best_epoch(job: _Job) -> str:
    """Returns a sentence about the epoch that model.keras has."""
    run, history = job.run, job.history
    best = history.best(job.monitor)
    if not best:
        return "No epoch was finished, so there is no model.keras."
    value = "" if job.monitor is None else f", {job.monitor} {history.rows[best - 1][job.monitor]:.6g}"
    return f"{run.model_file} holds the best epoch, {best} of {len(history.rows)}{value}."
