"""What happens after each epoch of a run, before its state is saved. Their order is that of `fitting.train`."""

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

ADVICE = "Try a smaller learning rate (--learning-rate), --precision float32, or look at the data"
GAME_BEGINS = 100


class StopOnNaN(keras.callbacks.Callback):
    """Ends the training with a FloatingPointError as soon as a metric is NaN or infinite, in training or validation."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._check(logs, f"step {batch + 1} of epoch {self.epoch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, f"the validation after epoch {epoch + 1}")

    def _check(self, logs: dict | None, where: str):
        for name, value in (logs or {}).items():
            if not np.all(np.isfinite(value)):
                raise FloatingPointError(
                    f"The metric {name!r} became {float(np.ravel(value)[0])} in {where}. {ADVICE}; a warm-up (--set "
                    "kl_warmup_steps=1000) helps where the prior-fitting term explodes"
                )


class ReportDiagnostics(keras.callbacks.Callback):
    """Says so when an adversarial game goes wrong: when it begins, and when it is over.

    It is silent for the first `GAME_BEGINS` steps: an untrained generator's images are all alike.

    Args:
        say: takes a line of text.
    """

    def __init__(self, say: Callable[[str], None]):
        super().__init__()
        self.say, self.known = say, set()

    def on_epoch_end(self, epoch, logs=None):
        if host_value(self.model.train_steps) < GAME_BEGINS:
            return
        found = self.model.diagnose({name: float(np.ravel(value)[0]) for name, value in (logs or {}).items()})
        for name in found.keys() - self.known:
            self.say(f"Epoch {epoch + 1}: {name}: {found[name]}.")
        for name in self.known - found.keys():
            self.say(f"Epoch {epoch + 1}: no longer: {name}.")
        self.known = set(found)


class LinearDecay(keras.callbacks.Callback):
    """The learning rate of every player as it is until a part of the epochs is over, then linearly towards 0.

    Of E epochs and begin b, epoch e = 0, 1, ... has the factor min(1, (E - e) / (E - b E)): 0 would be epoch E.

    A run may be continued with another number of epochs. The factors of finished epochs stay what they were. If they
    are those of the new number, the decay is that of the new number. Else the factor falls in a straight line from F,
    that of the last epoch before epoch d, to 0 at the new end E: F (E - e) / (E - (d - 1)). It never rises.

    Args:
        begin: b, in [0, 1).
        schedule: pairs (d, E) in order: from epoch d on there are E epochs in all; the first d is 0.
        rates: learning rate of each optimizer at the start, in the order of `optimizers_of`.

    Reference:
        Zhu, Park, Isola, Efros 2017, arXiv:1703.10593, section 4; Choi et al. 2018, arXiv:1711.09020, section 5.
    """

    def __init__(self, begin: float, schedule: Sequence[Sequence[int]], rates: Sequence[float]):
        super().__init__()
        self.begin, self.schedule, self.rates = begin, schedule, rates

    def factor(self, epoch: int) -> float:
        """What the rates are multiplied by in an epoch, counted from 0."""
        return _decayed(epoch, self.begin, self.schedule)

    def on_epoch_begin(self, epoch, logs=None):
        factor = self.factor(epoch)
        for optimizer, rate in zip(optimizers_of(self.model), self.rates, strict=True):
            optimizer.learning_rate = rate * factor


def _decayed(epoch: int, begin: float, schedule: Sequence[Sequence[int]]) -> float:
    *former, (first, epochs) = [each for each in schedule if each[0] <= epoch]
    if not former:
        return min(1.0, (epochs - epoch) / (epochs * (1 - begin)))
    return _decayed(first - 1, begin, former) * (epochs - epoch) / (epochs - first + 1)


def rescheduled(begin: float, schedule: Sequence[Sequence[int]], epochs: int, begun: int) -> list[list[int]]:
    """A schedule of `LinearDecay` that has another number of epochs from now on.

    Args:
        begin: as of `LinearDecay`.
        schedule: the one so far.
        epochs: how many there are in all from now on.
        begun: epochs that were finished or begun, whose factors stay.

    Example:
        >>> rescheduled(0.5, [[0, 10]], 20, begun=4), rescheduled(0.5, [[0, 10]], 20, begun=10)
        ([[0, 20]], [[0, 10], [10, 20]])
    """
    planned = [[0, epochs]]
    if all(_decayed(epoch, begin, planned) == _decayed(epoch, begin, schedule) for epoch in range(begun)):
        return planned
    return [*([d, total] for d, total in schedule if d < begun), [begun, epochs]]


def optimizers_of(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """One for each player, or the one there is."""
    return getattr(model.optimizer, "optimizers", [model.optimizer])


class LogToCSV(keras.callbacks.Callback):
    """Adds each epoch to metrics.csv."""

    def __init__(self, history: History):
        super().__init__()
        self.rows = history

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(epoch + 1, {name: float(np.ravel(value)[0]) for name, value in (logs or {}).items()})


class SaveBestModel(keras.callbacks.Callback):
    """Saves the model whenever an epoch is the best so far; a file that was complete is never half overwritten.

    Args:
        history: tells the best epoch.
        metric: what should become small; None keeps the last epoch.
        run: whose model it is; None for a worker that is not the chief: it takes part in saving, to a temporary file.
    """

    def __init__(self, history: History, metric: str | None, run: runs.Run | None):
        super().__init__()
        self.rows, self.metric, self.run = history, metric, run

    def on_epoch_end(self, epoch, logs=None):
        if self.rows.best(self.metric) == epoch + 1:
            report("Saving the model")
            save_model(self.model, self.run)


def save_model(model: keras.Model, run: runs.Run | None) -> None:
    """Save the model of a run. All workers must call it at the same point; `run` is None but for the chief."""
    if run is not None:
        run.save_model(model)
        return
    with tempfile.TemporaryDirectory() as folder:  # TensorFlow may read variables of all workers
        model.save(pathlib.Path(folder) / "model.keras")


class EarlyStop(keras.callbacks.Callback):
    """Ends the training after `patience` epochs without a better one; it counts in the history, so it resumes."""

    def __init__(self, history: History, metric: str | None, patience: int | None):
        super().__init__()
        self.rows, self.metric, self.patience = history, metric, patience or math.inf

    def on_epoch_end(self, epoch, logs=None):
        if self.rows.epochs_since_best(self.metric) >= self.patience:
            self.model.stop_training = True
