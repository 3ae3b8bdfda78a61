"""The speed of a training, measured on its first steps, and the length of a training that is given a time.

`--minutes` fixes the number of epochs and of steps before the training begins, so that everything that depends on the
length (the decay of learning rates, the growth of a model, a resumed run) is the same as for a run that states these
numbers:

1. The model and the stages of its pretraining are trained for a few steps, with a part of the validation, a preview
   picture and a saved state, in a temporary folder. The first steps compile, the others are measured. A model that
   trains in phases of different speed is measured in each of them.
2. The state of the model (weights, optimizers, counters, seeds, phase) is restored. The data start again with the first
   batch of epoch 0.
3. All updates, of the pretraining too, are scaled by one factor, so that the expected time of the training, with its
   validations, pictures and states, is what the measurement has left of the minutes.
"""

import math
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gen import runs
from keras_gen.models import GenerativeModel
from keras_gen.models.core.protocols import TrainsInPhases
from keras_gen.progress import report
from keras_gen.runs.checkpoints import Checkpoints, State
from keras_gen.runs.history import History

from . import strategies
from .callbacks import SaveBestModel
from .length import Speed
from .previews import SampleGrid

# steps and batches of the validation that compile
FIRST_STEPS, FIRST_BATCHES = 3, 2
# the measured steps take about so many seconds, but are at least so many and at most so many
SECONDS, STEPS, MAX_STEPS = 2.0, 4, 200

Callbacks = Sequence[keras.callbacks.Callback]


class Calibration:
    """Measures models on the data of a run; the models are restored afterwards.

    Args:
        training: Training batches.
        validation: Validation batches, or None.
        batch_size: Images in a step.
        devices: The strategy that the models are trained under.
        clock: Returns the time in seconds; for tests.
    """

    def __init__(
        self,
        training: tf.data.Dataset,
        validation: tf.data.Dataset | None,
        batch_size: int,
        devices: tf.distribute.Strategy,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.training, self.validation, self.batch_size = training, validation, batch_size
        self.devices, self.clock = devices, clock
        self._began = clock()

    @property
    def spent(self) -> float:
        """Seconds since the calibration began, the largest of all workers."""
        return self._common([self.clock() - self._began])[0]

    def measure(self, model: GenerativeModel, updates: int, batch: Mapping[str, np.ndarray] | None = None) -> Speed:
        """Returns the speed of a model, which is unchanged afterwards.

        Args:
            model: The model, built and compiled.
            updates: The default length of its training, for the share that each of its phases has.
            batch: The batch of its preview pictures; None for a model without pictures.
        """
        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Checkpoints(pathlib.Path(folder) / "checkpoints")
            checkpoints.save(model, State(0), {})
            between_epochs = _between_epochs(pathlib.Path(folder), checkpoints, batch)
            try:
                speeds = list(self._phases(model, updates, between_epochs))
            finally:
                checkpoints.restore(model, State(0))
        step = sum(share * speed.step for share, speed in speeds)
        last = speeds[-1][1]  # the largest images of a growing model
        return Speed(step, last.between, sum(speed.start for _, speed in speeds))

    def _phases(self, model: GenerativeModel, updates: int, callbacks: Callbacks) -> Iterator[tuple[float, Speed]]:
        """Yields the share of the updates and the speed of each phase; a model without phases has one."""
        if not isinstance(model, TrainsInPhases):
            yield 1.0, self._speed(model, callbacks, "")
            return
        shares = model.phase_shares(updates, self.batch_size)
        for done, (phase, share) in enumerate(shares.items(), 1):
            model.enter_phase(phase)
            yield share, self._speed(model, callbacks, f", phase {done} of {len(shares)}")

    def _speed(self, model: GenerativeModel, callbacks: Callbacks, where: str) -> Speed:
        report(f"Measuring the speed{where}")
        first = self._fit(model, FIRST_STEPS, FIRST_BATCHES, callbacks)
        steps, batches, start = self._common(
            [
                min(max(STEPS, math.ceil(SECONDS / max(first.steps[-1], 1e-6))), MAX_STEPS),
                max(FIRST_BATCHES, math.ceil(SECONDS / 2 / max([*first.batches[-1:], 1e-6]))),
                max(0.0, first.seconds - first.between),
            ]
        )
        second = self._fit(model, int(steps), int(batches), callbacks)
        step, between = self._common([second.step, second.between])
        return Speed(step, between, start)

    def _fit(self, model: GenerativeModel, steps: int, batches: int, callbacks: Callbacks) -> "_Stopwatch":
        stopwatch = _Stopwatch(0 if self.validation is None else self.validation.info.num_batches, self.clock)
        validation = None if self.validation is None else self.validation.take(batches)
        began = self.clock()
        model.fit(
            self.training.take(steps), validation_data=validation, epochs=1, callbacks=[stopwatch, *callbacks],
            verbose=0,
        )  # fmt: skip
        stopwatch.seconds = self.clock() - began
        return stopwatch

    def _common(self, numbers: Iterable[float]) -> list[float]:
        """Returns the largest of each number over all workers."""
        own = list(numbers)
        if not strategies.has_workers(self.devices):
            return own
        microseconds = [min(round(1e6 * number), np.iinfo(np.int32).max) for number in own]
        return [float(number) / 1e6 for number in strategies.gather(self.devices, microseconds).max(axis=0)]


class _Stopwatch(keras.callbacks.Callback):
    """Measures the steps and the batches of the validation of one epoch.

    Args:
        num_validation: Batches of a whole validation.
        clock: Returns the time in seconds.

    Attributes:
        steps: Seconds of every step, after an average over those that run in one execution.
        batches: Seconds of every validation batch.
        seconds: Seconds of the whole `fit`.
    """

    def __init__(self, num_validation: int, clock: Callable[[], float]):
        super().__init__()
        self.num_validation, self.clock = num_validation, clock
        self.steps: list[float] = []
        self.batches: list[float] = []
        self.seconds = 0.0
        self._began, self._first = 0.0, 0

    @property
    def step(self) -> float:
        """Seconds of a step; the first one also starts the iterator, which belongs to the time between epochs."""
        return float(np.mean(self.steps[1:] or self.steps))

    @property
    def between(self) -> float:
        """Seconds of an epoch besides its steps, with a whole validation."""
        batch = float(np.mean(self.batches[1:] or self.batches or [0.0]))
        own = self.seconds - self.step * len(self.steps) - batch * len(self.batches)
        return max(0.0, own) + batch * self.num_validation

    def on_train_batch_begin(self, batch, logs=None):
        self._began, self._first = self.clock(), batch

    def on_train_batch_end(self, batch, logs=None):
        count = batch - self._first + 1
        self.steps += [(self.clock() - self._began) / count] * count

    def on_test_batch_begin(self, batch, logs=None):
        self._began, self._first = self.clock(), batch

    def on_test_batch_end(self, batch, logs=None):
        count = batch - self._first + 1
        self.batches += [(self.clock() - self._began) / count] * count


def _between_epochs(
    folder: pathlib.Path, checkpoints: Checkpoints, batch: Mapping[str, np.ndarray] | None
) -> list[keras.callbacks.Callback]:
    """Returns callbacks that do what a run does between two epochs."""
    save = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: checkpoints.save(save.model, State(1), {}))
    if batch is None:
        return [save]
    history = History(None, [{"epoch": 1}])
    return [SaveBestModel(history, None, runs.Run(folder, {})), SampleGrid(folder, batch), save]
