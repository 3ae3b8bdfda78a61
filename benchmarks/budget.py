"""The length of a training in a benchmark: steps, or a processor time, which other jobs do not change."""

import time

import keras

from keras_gen.training.callbacks import optimizers_of


class Budget(keras.callbacks.Callback):
    """Ends training after a processor time or a number of steps; learning rates fall linearly to 0 in its second half.

    The time begins after the first step, which traces and compiles.

    Args:
        seconds: Processor time of all threads of the process, > 0, or None.
        steps: Number of steps, >= 1, or None.

    Attributes:
        done: Steps so far.

    Raises:
        ValueError: If neither or both are given.
    """

    def __init__(self, seconds: float | None = None, steps: int | None = None):
        super().__init__()
        if (seconds is None) == (steps is None):
            raise ValueError(f"Expected either seconds or steps; received seconds={seconds}, steps={steps}")
        self.seconds, self.steps, self.done = seconds, steps, 0
        self._start: float | None = None
        self._rates: list[tuple[keras.optimizers.Optimizer, float]] = []

    @property
    def spent(self) -> float:
        """Processor time so far, in seconds."""
        return 0.0 if self._start is None else time.process_time() - self._start

    def exclude(self, seconds: float) -> None:
        """Does not count a part of the time so far, such as that of a comparison between two steps."""
        if self._start is not None:
            self._start += seconds

    def on_train_begin(self, logs=None):
        self._rates = [(each, float(each.learning_rate)) for each in optimizers_of(self.model)]

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self._start is None:
            self._start = time.process_time()
        share = self.done / self.steps if self.steps else self.spent / self.seconds
        for optimizer, rate in self._rates:
            optimizer.learning_rate = rate * min(1.0, max(0.0, 2 * (1 - share)))
        self.model.stop_training = share >= 1
