"""`fit` that continues where it was stopped, on one device or on replicas that must agree."""

import hashlib
import pathlib
import shutil
import signal
import sys
from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from keras_gen import files
from keras_gen.models import GenerativeModel
from keras_gen.models.core.generative_model import EpochInProgress
from keras_gen.progress import report
from keras_gen.runs.checkpoints import Checkpoints, DamagedStateError, State
from keras_gen.runs.history import History

from . import strategies
from .resume import changes, data_changed
from .signals import StopSignals

# several workers ask each other for a signal once in so many steps, and after each epoch
ASKED_EVERY = 10
# states on the disk at the same time: those kept, the one that is being written, and model.keras twice
COPIES = 5


class Stopped(Exception):
    """A signal stopped the training after its state had been saved.

    Attributes:
        state: how far the training has come.
        signal: the signal that arrived here, SIGTERM where it arrived at another worker.
    """

    def __init__(self, state: State, number: signal.Signals, of: str = ""):
        super().__init__(f"{number.name} after {state}{of}")
        self.state, self.signal = state, number


class Session:
    """A training that can be killed at any moment and continues from its last state.

    Args:
        model: built and compiled.
        devices: the strategy that it was built under.
        checkpoints: where its states are kept.
        config: the content of config.json, which every state has a copy of.
        of: what follows "epoch 3" in messages, where this is not the training of the run itself.

    Attributes:
        state: how far the training has come; `State(0)` before `restore`.
        rows: the metrics of the finished epochs.
        planned: `training` of config.json as it was when the state was saved; None before `restore`.
    """

    def __init__(
        self,
        model: GenerativeModel,
        devices: tf.distribute.Strategy,
        checkpoints: Checkpoints,
        config: dict,
        of: str = "",
    ):
        self.model, self.devices, self.checkpoints, self.config, self.of = model, devices, checkpoints, config, of
        self.state, self.rows, self._in_progress = State(0), [], None
        self.planned: dict | None = None

    def restore(self, spare: pathlib.Path | None = None) -> bool:
        """Bring the model to the newest state that is intact, at all workers the same.

        Args:
            spare: a folder of states of another worker, which are taken where this one has none that is intact.

        Returns:
            Whether there was a state.

        Raises:
            ValueError: where there are states and none can be restored, or config.json was changed.
            ReplicasDifferError: where the replicas do not hold the same afterwards.
        """
        if spare is not None and spare != self.checkpoints.folder and not self.checkpoints.intact()[0]:
            self._copy(spare)
        with strategies.together(self.devices):
            intact, problems = self.checkpoints.intact()
            if problems and not intact:
                raise DamagedStateError(f"No state in {self.checkpoints.folder} is intact. {'; '.join(problems)}")
        state = self._common(list(intact))
        if state is not None:
            with strategies.together(self.devices):
                for problem in problems:
                    warn(f"{problem}. Continuing from {state}, which is intact")
                self._compare(intact[state])
            self.checkpoints.restore(self.model, state)
            self.checkpoints.remove(each for each in self.checkpoints.states if each > state)
            self.state, self.rows = state, intact[state]["rows"]
            record = intact[state]
            self.planned = record["config"]["training"]
            if state.step and data_changed(self.config, record["config"]):
                self.state = State(state.epoch)  # the rest of its epoch is there no more: it begins again
            elif state.step:
                self._in_progress = EpochInProgress(state.step, record["totals"])
        check_replicas_agree(self.model, self.devices, self.state)
        return state is not None

    def fit(
        self,
        training: tf.data.Dataset,
        validation: tf.data.Dataset | None,
        *,
        epochs: int,
        history: History,
        callbacks: Iterable[keras.callbacks.Callback],
        signals: StopSignals,
        verbose: int,
    ) -> None:
        """Train until `epochs` are finished in all, saving the state after each.

        Args:
            training, validation: as for `fit` of the model.
            epochs: counted from the beginning of the training.
            history: holds `rows`, and a row more after each epoch.
            callbacks: called before the state is saved, in this order.
            signals: open; the first signal is kept until the step is finished and saved.
            verbose: 0 silent, else a line for each epoch.

        Raises:
            Stopped: after SIGINT or SIGTERM; the state after the step that was running is saved.
            UnwritableError: where the disk is full; the states before are intact.
        """
        size = sum(int(np.prod(v.shape)) * v.dtype.size for v in map(_tensor, variables_of(self.model)))
        files.check_space(self.checkpoints.folder, COPIES * size)
        self.checkpoints.clean()
        with signals.deferred():
            keep = _SaveState(self, history, signals)
            if not self.checkpoints.states or self.checkpoints.states[-1] > self.state:  # an epoch that begins again
                keep.save(self.state)
                self.checkpoints.remove(each for each in self.checkpoints.states if each > self.state)
            self.model.fit(
                training,
                validation_data=validation,
                epochs=epochs,
                initial_epoch=self.state.epoch,
                in_progress=self._in_progress,
                callbacks=[*callbacks, keep],
                verbose=2 if verbose else 0,
            )

    def _copy(self, spare: pathlib.Path) -> None:
        theirs = Checkpoints(spare)
        for state in theirs.intact()[0]:
            for file in (theirs.weights_file(state), theirs.record_file(state)):
                with files.replacing(self.checkpoints.folder / file.name) as scratch:
                    shutil.copyfile(file, scratch)

    def _common(self, states: list[State]) -> State | None:
        """The newest state that all workers have; None where none has any."""
        numbers = np.full((2, 2), -1)
        for row, state in enumerate(states[-2:]):
            numbers[row] = state
        gathered = strategies.gather(self.devices, numbers.ravel()).reshape(-1, 2, 2)
        had = [{State(*map(int, pair)) for pair in each if pair[0] >= 0} for each in gathered]
        if common := set.intersection(*had):
            return max(common)
        if not any(had) or max(set.union(*had)) == State(0):  # nothing was trained: all begin anew, in the same way
            return None
        listed = "; ".join(
            f"replica {number}: {', '.join(map(str, sorted(each))) or 'none'}" for number, each in enumerate(had)
        )
        raise ValueError(
            f"The workers have no state in common ({listed}). Copy the files epoch_* of a worker that has the newest "
            f"state into the checkpoints folder of the others (here {self.checkpoints.folder}), then start all of them "
            "again with --resume"
        )

    def _compare(self, record: dict) -> None:
        """Raise where config.json is not what the state was trained with."""
        if different := changes(self.config, record["config"]):
            raise ValueError(
                f"config.json is not what the states in {self.checkpoints.folder} were trained with: "
                f"{'; '.join(different)}. Undo the change (`keras-gen check RUN --repair` does), or start another run "
                "in another directory"
            )


class _SaveState(keras.callbacks.Callback):
    """Saves the state after each epoch, and after a step where a signal has arrived. It is the last callback."""

    def __init__(self, session: Session, history: History, signals: StopSignals):
        super().__init__()
        self.session, self.history, self.signals = session, history, signals

    def on_epoch_begin(self, epoch, logs=None):
        state = self.session.state
        self.epoch, self.done = epoch, state.step if state.epoch == epoch else 0

    def on_train_batch_end(self, batch, logs=None):
        last = batch + 1 == self.params["steps"]  # then the epoch ends with its validation, as ever
        if not last and self._asked(every=ASKED_EVERY, step=batch + 1):
            self._stop(State(self.epoch, self.done + batch + 1))

    def on_epoch_end(self, epoch, logs=None):
        self.session.state = State(epoch + 1)
        if self._asked():
            self._stop(self.session.state)
        self.save(self.session.state)

    def save(self, state: State) -> None:
        session = self.session
        report("Saving the state")
        check_replicas_agree(session.model, session.devices, state)
        totals = session.model.epoch_in_progress(state.step).totals if state.step else {}
        record = {"rows": self.history.rows, "totals": totals, "config": session.config}
        session.checkpoints.save(session.model, state, record)

    def _asked(self, every: int = 1, step: int = 0) -> bool:
        """Whether a signal has arrived, at any of the workers: they stop after the same step."""
        received = self.signals.received is not None
        if not strategies.has_workers(self.session.devices):
            return received
        return step % every == 0 and bool(strategies.gather(self.session.devices, [received]).any())

    def _stop(self, state: State) -> None:
        self.save(state)
        raise Stopped(state, self.signals.received or signal.SIGTERM, self.session.of)


class ReplicasDifferError(RuntimeError):
    """Replicas that should hold the same weights, optimizers and seeds do not."""


def check_replicas_agree(model: GenerativeModel, devices: tf.distribute.Strategy, state: State) -> None:
    """Compare a digest of weights, optimizers, counters and seeds over all replicas.

    Raises:
        ReplicasDifferError: at all workers, where one replica differs.
    """
    if devices.num_replicas_in_sync == 1:
        return
    values = [devices.experimental_local_results(_tensor(variable)) for variable in variables_of(model)]
    local = max(len(each) for each in values)
    digests = []
    for replica in range(local):
        digest = hashlib.sha256()
        for each in values:
            digest.update(np.ascontiguousarray(each[min(replica, len(each) - 1)]))
        digests.append(np.frombuffer(digest.digest()[:16], np.int32))
    found = strategies.gather(devices, digests)
    different = [number for number in range(1, len(found)) if (found[number] != found[0]).any()]
    if different:
        raise ReplicasDifferError(
            f"At {state}, replicas {', '.join(map(str, different))} of {len(found)} differ from replica 0 in weights, "
            "optimizers or seeds: they no longer train one model. Nothing of this was saved. Use machines with the "
            "same devices and package versions, and continue from the last state with --resume"
        )


def variables_of(model: GenerativeModel) -> list[keras.Variable]:
    """All that a training goes on from: weights, counters, seeds and optimizers, without the metrics."""
    metrics = {id(variable) for tracker in model.metrics for variable in tracker.variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables if model.optimizer is not None else [])


def warn(text: str) -> None:
    """Write what a user must know, also of a silent training, to stderr."""
    print(f"warning: {text}.", file=sys.stderr, flush=True)


def _tensor(variable: keras.Variable):
    """The TensorFlow variable inside."""
    return variable.value
