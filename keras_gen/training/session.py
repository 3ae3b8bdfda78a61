"""Training that continues from its last state, on one device or on replicas whose weights must agree."""

import hashlib
import pathlib
import shutil
import signal
import sys
from collections.abc import Iterable
from typing import Any

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

# several workers exchange received signals once in this many steps, and after each epoch
SIGNAL_STEPS = 10
# copies on the disk at the same time: two states, the one that is being written, and model.keras twice
COPIES = 5


class Stopped(Exception):
    """A signal stopped the training after its state had been saved.

    Attributes:
        state: The state that was saved.
        signal: The signal that this worker received; SIGTERM if only another worker received one.
    """

    def __init__(self, state: State, number: signal.Signals, of: str = ""):
        super().__init__(f"{number.name} after {state}{of}")
        self.state, self.signal = state, number


class Session:
    """A training that may be killed at any moment and continues from its last state.

    Args:
        model: The model, built and compiled.
        devices: The strategy that it was built under.
        checkpoints: The folder of its states.
        config: The content of config.json; every state has a copy of it.
        of: Text that follows "epoch 3" in messages, if this is not the training of the run itself.

    Attributes:
        state: The last finished epoch and step; `State(0)` before `restore`.
        rows: The metrics of the finished epochs.
        planned: `training` of config.json at the time of the restored state; None without one.
    """

    def __init__(
        self,
        model: GenerativeModel,
        devices: tf.distribute.Strategy,
        checkpoints: Checkpoints,
        config: dict[str, Any],
        of: str = "",
    ):
        self.model, self.devices, self.checkpoints, self.config, self.of = model, devices, checkpoints, config, of
        self.state = State(0)
        self.rows: list[dict[str, float]] = []
        self.planned: dict[str, Any] | None = None
        self._in_progress: EpochInProgress | None = None

    def restore(self, spare: pathlib.Path | None = None) -> bool:
        """Restores the newest intact state, the same at all workers.

        Args:
            spare: A folder with the states of another worker. They are used if this one has no intact state.

        Returns:
            Whether there was a state.

        Raises:
            ValueError: If there are states but none can be restored, or config.json was changed.
            ReplicasDifferError: If the replicas differ afterwards.
        """
        if spare is not None and spare != self.checkpoints.folder and not self.checkpoints.intact()[0]:
            self._copy(spare)
        with strategies.together(self.devices):
            intact, problems = self.checkpoints.intact()
            if problems and not intact:
                raise DamagedStateError(f"No state in {self.checkpoints.folder} is intact. {'; '.join(problems)}")
        state = self._common(list(intact))
        if state is not None:
            record = intact[state]
            with strategies.together(self.devices):
                for problem in problems:
                    warn(f"{problem}. Continuing from {state}, which is intact")
                self._check_config(record)
            self.checkpoints.restore(self.model, state)
            self.checkpoints.remove(each for each in self.checkpoints.states if each > state)
            self.state, self.rows, self.planned = state, record["rows"], record["config"]["training"]
            if state.step and data_changed(self.config, record["config"]):
                self.state = State(state.epoch)  # the rest of its epoch no longer exists: the epoch starts again
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
        """Trains until the total number of epochs is finished, and saves the state after each.

        Args:
            training: As `x` of the model's `fit`.
            validation: As `validation_data` of the model's `fit`.
            epochs: Total number of epochs, counted from the beginning of the training.
            history: The metrics; it has `rows`, and one more row after each epoch.
            callbacks: Callbacks that are called before the state is saved, in this order.
            signals: The open context; the first signal is recorded until the step is finished and saved.
            verbose: 0 for silent, else a line for each epoch.

        Raises:
            Stopped: After SIGINT or SIGTERM; the state after the current step is saved.
            UnwritableError: If the disk is full; the earlier states are intact.
        """
        size = sum(int(np.prod(v.shape)) * v.dtype.size for v in map(_tensor, variables_of(self.model)))
        files.check_space(self.checkpoints.folder, COPIES * size)
        self.checkpoints.clean()
        with signals.deferred():
            save = SaveTrainingState(self, history, signals)
            states = self.checkpoints.states
            if not states or states[-1] > self.state:  # a new training, or an epoch that starts again
                save.save(self.state)
                self.checkpoints.remove(each for each in self.checkpoints.states if each > self.state)
            self.model.fit(
                training,
                validation_data=validation,
                epochs=epochs,
                initial_epoch=self.state.epoch,
                in_progress=self._in_progress,
                callbacks=[*callbacks, save],
                verbose=2 if verbose else 0,
            )

    def _copy(self, spare: pathlib.Path) -> None:
        source = Checkpoints(spare)
        for state in source.intact()[0]:
            for file in (source.weights_file(state), source.record_file(state)):
                with files.replacing(self.checkpoints.folder / file.name) as scratch:
                    shutil.copyfile(file, scratch)

    def _common(self, states: list[State]) -> State | None:
        """Returns the newest state that all workers have; None if no worker has any."""
        numbers = np.full((2, 2), -1)
        for row, state in enumerate(states[-2:]):
            numbers[row] = state
        gathered = strategies.gather(self.devices, numbers.ravel()).reshape(-1, 2, 2)
        available = [{State(*map(int, pair)) for pair in replica if pair[0] >= 0} for replica in gathered]
        if common := set.intersection(*available):
            return max(common)
        if not any(available) or max(set.union(*available)) == State(0):  # nothing was trained: all start alike
            return None
        listed = "; ".join(
            f"replica {number}: {', '.join(map(str, sorted(each))) or 'none'}" for number, each in enumerate(available)
        )
        raise ValueError(
            f"Expected a state that all workers have; received {listed}. Copy the files epoch_* of a worker that has "
            f"the newest state into the checkpoints folder of the others (here {self.checkpoints.folder}), then start "
            "all of them again with --resume"
        )

    def _check_config(self, record: dict[str, Any]) -> None:
        """Raises a ValueError if config.json is not the one that the state was trained with."""
        if different := changes(self.config, record["config"]):
            raise ValueError(
                f"config.json is not what the states in {self.checkpoints.folder} were trained with: "
                f"{'; '.join(different)}. Undo the change (`keras-gen check RUN --repair` does), or start another run "
                "in another directory"
            )


class SaveTrainingState(keras.callbacks.Callback):
    """Saves the state after each epoch, and after a step in which a signal arrived. It is the last callback.

    Args:
        session: The training.
        history: The metrics of the finished epochs.
        signals: The handler of signals.
    """

    def __init__(self, session: Session, history: History, signals: StopSignals):
        super().__init__()
        self.session, self.history, self.signals = session, history, signals
        self.epoch, self.done, self.steps_per_epoch = 0, 0, 0

    def set_params(self, params):
        super().set_params(params)
        self.steps_per_epoch = params["steps"]

    def on_epoch_begin(self, epoch, logs=None):
        state = self.session.state
        self.epoch, self.done = epoch, state.step if state.epoch == epoch else 0

    def on_train_batch_end(self, batch, logs=None):
        last = batch + 1 == self.steps_per_epoch  # then the validation follows before the training stops
        if not last and self._signaled(every=SIGNAL_STEPS, step=batch + 1):
            self._stop(State(self.epoch, self.done + batch + 1))

    def on_epoch_end(self, epoch, logs=None):
        self.session.state = State(epoch + 1)
        if self._signaled():
            self._stop(self.session.state)
        self.save(self.session.state)

    def save(self, state: State) -> None:
        """Saves the model's state and its record, after a check that all replicas agree."""
        session = self.session
        report("Saving the state")
        check_replicas_agree(session.model, session.devices, state)
        totals = session.model.epoch_in_progress(state.step).totals if state.step else {}
        record = {"rows": self.history.rows, "totals": totals, "config": session.config}
        session.checkpoints.save(session.model, state, record)

    def _signaled(self, every: int = 1, step: int = 0) -> bool:
        """Returns whether any worker has received a signal: all of them stop after the same step."""
        received = self.signals.received is not None
        if not strategies.has_workers(self.session.devices):
            return received
        return step % every == 0 and bool(strategies.gather(self.session.devices, [received]).any())

    def _stop(self, state: State) -> None:
        self.save(state)
        raise Stopped(state, self.signals.received or signal.SIGTERM, self.session.of)


class ReplicasDifferError(RuntimeError):
    """Replicas differ in weights, optimizers or seeds."""


def check_replicas_agree(model: GenerativeModel, devices: tf.distribute.Strategy, state: State) -> None:
    """Compares a digest of weights, optimizers, counters and seeds over all replicas.

    Args:
        model: The model.
        devices: Its strategy.
        state: The state of the training, for the message.

    Raises:
        ReplicasDifferError: At all workers, if one replica differs.
    """
    if devices.num_replicas_in_sync == 1:
        return
    values = [devices.experimental_local_results(_tensor(variable)) for variable in variables_of(model)]
    num_local = max(len(each) for each in values)
    digests = []
    for replica in range(num_local):
        digest = hashlib.sha256()
        for each in values:
            digest.update(np.ascontiguousarray(each[min(replica, len(each) - 1)]).tobytes())
        digests.append(np.frombuffer(digest.digest()[:16], np.int32))
    gathered = strategies.gather(devices, digests)
    different = [number for number in range(1, len(gathered)) if (gathered[number] != gathered[0]).any()]
    if different:
        raise ReplicasDifferError(
            f"At {state}, replicas {', '.join(map(str, different))} of {len(gathered)} differ from replica 0 in "
            "weights, optimizers or seeds: they no longer train one model. This state was not saved. Use machines "
            "with the same devices and package versions, and continue from the last state with --resume"
        )


def variables_of(model: GenerativeModel) -> list[keras.Variable]:
    """Returns the variables that a training continues from: weights, counters, seeds and optimizers, not metrics."""
    metrics = {id(variable) for tracker in model.metrics for variable in tracker.variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables if model.optimizer is not None else [])


def warn(text: str) -> None:
    """Writes a warning to stderr, also in a silent training."""
    print(f"warning: {text}.", file=sys.stderr, flush=True)


def _tensor(variable: keras.Variable) -> tf.Variable:
    """Returns the TensorFlow variable of a Keras variable."""
    return variable.value
