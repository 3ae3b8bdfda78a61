"""Callbacks of a run that are called before its state is saved; `fitting` puts them in order."""

import math
import pathlib
import tempfile
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_gen import runs
from keras_gen.models.core.host import host_value
from keras_gen.progress import report
from keras_gen.runs.history import History

ADVICE = "Try a smaller learning rate (--learning-rate), --precision float32, or check the data"
# before this step an untrained generator's images are all alike, which is not a problem
FIRST_DIAGNOSIS = 100


class StopOnNaN(keras.callbacks.Callback):
    """Raises a FloatingPointError as soon as a metric is NaN or infinite, in training or validation."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._check(logs, f"step {batch + 1} of epoch {self.epoch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, f"the validation after epoch {epoch + 1}")

    def _check(self, logs: dict | None, where: str) -> None:
        for name, value in (logs or {}).items():
            if not np.all(np.isfinite(value)):
                raise FloatingPointError(
                    f"The metric {name!r} became {float(np.ravel(value)[0])} in {where}. {ADVICE}; a warm-up (--set "
                    "kl_warmup_steps=1000) helps if the KL divergence explodes"
                )


class ReportDiagnostics(keras.callbacks.Callback):
    """Reports problems that the model diagnoses from the metrics of an epoch, when they begin and when they end.

    It reports nothing in the first `FIRST_DIAGNOSIS` steps. The model has the method `diagnose`, see
    `keras_gen.models.core.protocols.Diagnoses`.

    Args:
        say: Called with every message.
    """

    def __init__(self, say: Callable[[str], None]):
        super().__init__()
        self.say = say
        self.known: set[str] = set()

    def on_epoch_end(self, epoch, logs=None):
        if host_value(self.model.train_steps) < FIRST_DIAGNOSIS:
            return
        problems = self.model.diagnose(_floats(logs))
        for name in problems.keys() - self.known:
            self.say(f"Epoch {epoch + 1}: {name}: {problems[name]}.")
        for name in self.known - problems.keys():
            self.say(f"Epoch {epoch + 1}: no longer: {name}.")
        self.known = set(problems)


class LinearDecay(keras.callbacks.Callback):
    """Keeps the learning rate of every player for a fraction of the epochs, then decreases it linearly to 0.

    Of E epochs, with begin b, epoch e = 0, 1, ... has the factor min(1, (E - e) / (E - b E)). Epoch E would have 0.

    A run may be continued with another number of epochs. The factors of finished epochs do not change. If they are
    those of the new number, the decay is that of the new number. Otherwise the factor falls linearly from F, the factor
    of the last epoch before epoch d, to 0 at the new end E: F (E - e) / (E - (d - 1)). It never rises.

    Args:
        begin: b, in [0, 1).
        schedule: Pairs (d, E) in order: from epoch d on, the total number of epochs is E. The first d is 0.
        rates: Initial learning rate of each optimizer, in the order of `optimizers_of`.

    Reference:
        Zhu, Park, Isola, Efros 2017, arXiv:1703.10593, section 4; Choi et al. 2018, arXiv:1711.09020, section 5.
    """

    def __init__(self, begin: float, schedule: Sequence[Sequence[int]], rates: Sequence[float]):
        super().__init__()
        self.begin, self.schedule, self.rates = begin, schedule, rates

    def factor(self, epoch: int) -> float:
        """Returns the factor of the learning rates in an epoch, counted from 0."""
        return _decay_factor(epoch, self.begin, self.schedule)

    def on_epoch_begin(self, epoch, logs=None):
        factor = self.factor(epoch)
        for optimizer, rate in zip(optimizers_of(self.model), self.rates, strict=True):
            optimizer.learning_rate = rate * factor


def _decay_factor(epoch: int, begin: float, schedule: Sequence[Sequence[int]]) -> float:
    *former, (first, epochs) = [entry for entry in schedule if entry[0] <= epoch]
    if not former:
        return min(1.0, (epochs - epoch) / (epochs * (1 - begin)))
    return _decay_factor(first - 1, begin, former) * (epochs - epoch) / (epochs - first + 1)


def rescheduled(begin: float, schedule: Sequence[Sequence[int]], epochs: int, begun: int) -> list[list[int]]:
    """Returns the schedule of `LinearDecay` with another number of epochs from now on.

    Args:
        begin: As for `LinearDecay`.
        schedule: The schedule so far.
        epochs: The new total number of epochs.
        begun: Number of epochs that were finished or begun, whose factors do not change.

    Example:
        >>> rescheduled(0.5, [[0, 10]], 20, begun=4), rescheduled(0.5, [[0, 10]], 20, begun=10)
        ([[0, 20]], [[0, 10], [10, 20]])
    """
    planned = [[0, epochs]]
    if all(_decay_factor(epoch, begin, planned) == _decay_factor(epoch, begin, schedule) for epoch in range(begun)):
        return planned
    return [*([first, total] for first, total in schedule if first < begun), [begun, epochs]]


def optimizers_of(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """Returns the optimizers of a model: one for each player, or its only one."""
    return getattr(model.optimizer, "optimizers", [model.optimizer])


class LogToCSV(keras.callbacks.Callback):
    """Adds the metrics of every epoch to metrics.csv.

    Args:
        history: The metrics of the finished epochs and their file.
    """

    def __init__(self, history: History):
        super().__init__()
        self.history = history

    def on_epoch_end(self, epoch, logs=None):
        self.history.append(epoch + 1, _floats(logs))


class SaveBestModel(keras.callbacks.Callback):
    """Saves the model after every epoch that is the best so far; a complete file is replaced atomically.

    Args:
        history: The metrics, which determine the best epoch.
        metric: The metric to minimize; None saves every epoch.
        run: The run of the model; None for a worker that is not the chief, which saves to a temporary file.
    """

    def __init__(self, history: History, metric: str | None, run: runs.Run | None):
        super().__init__()
        self.history, self.metric, self.run = history, metric, run

    def on_epoch_end(self, epoch, logs=None):
        if self.history.best(self.metric) == epoch + 1:
            report("Saving the model")
            save_model(self.model, self.run)


def save_model(model: keras.Model, run: runs.Run | None) -> None:
    """Saves the model of a run; all workers must call it at the same point.

    Args:
        model: The model.
        run: The run; None for a worker that is not the chief.
    """
    if run is not None:
        run.save_model(model)
        return
    with tempfile.TemporaryDirectory() as folder:  # TensorFlow may read variables from all workers
        model.save(pathlib.Path(folder) / "model.keras")


class EarlyStop(keras.callbacks.Callback):
    """Stops the training after `patience` epochs without improvement.

    Unlike Keras's EarlyStopping it counts epochs in the history, so a resumed run continues the count.

    Args:
        history: The metrics of the finished epochs.
        metric: The metric to minimize.
        patience: Number of epochs; None never stops.
    """

    def __init__(self, history: History, metric: str | None, patience: int | None):
        super().__init__()
        self.history, self.metric, self.patience = history, metric, patience or math.inf

    def on_epoch_end(self, epoch, logs=None):
        if self.history.epochs_since_best(self.metric) >= self.patience:
            self.model.stop_training = True


def _floats(logs: dict | None) -> dict[str, float]:
    return {name: float(np.ravel(value)[0]) for name, value in (logs or {}).items()}
