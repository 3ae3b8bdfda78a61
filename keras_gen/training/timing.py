"""What a training is doing, and how long it will still take."""

import time
from collections.abc import Callable

import keras

from keras_gen import progress
from keras_gen.progress import counted, duration, report

# the expected time is said after so many steps, or seconds, and where it is longer than that
STEPS, SECONDS = 10, 5.0


class ReportProgress(keras.callbacks.Callback):
    """Reports the compilation, every step and the validation, with the remaining time of the epoch and of all epochs.

    After the first steps it says once how long all of the training is expected to take.

    Args:
        what: what an epoch is called: `"Epoch"`.
        epochs: number of the last epoch.
        later: epochs of what is trained afterwards, which are expected to take as long each.
        validation: batches of a validation; 0 where there is none.
        say: takes a line of text.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        what: str,
        epochs: int,
        *,
        later: int = 0,
        validation: int = 0,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.what, self.epochs, self.later, self.validation = what, epochs, later, validation
        self.say, self.clock = say, clock
        self.steps = self.seconds = self.between = 0.0
        self.last = self.shown = None
        self.said = False

    def on_train_begin(self, logs=None):
        report("Compiling the first step")

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.done, now = epoch, 0, self.clock()
        if self.last is not None:
            self.between, self.last = now - self.last, now

    def on_train_batch_end(self, batch, logs=None):
        now = self.clock()
        if self.last is not None:  # the first step was compiled: its time says nothing about the others
            self.steps, self.seconds = self.steps + batch + 1 - self.done, self.seconds + now - self.last
        self.last, self.done = now, batch + 1
        left = self.remaining()
        if left is not None and not self.said and (self.steps >= STEPS or self.seconds >= SECONDS):
            self._say(left)
        if self.shown is None or now - self.shown >= progress.PAUSE or self.done == self.params["steps"]:
            self.shown = now
            note = "" if left is None else f"about {duration(left)} left in all"
            report(f"{self.what} {self.epoch + 1} of {self.epochs}", self.done, self.params["steps"], note)

    def on_test_begin(self, logs=None):
        report("Validation", 0, self.validation)

    def on_test_batch_end(self, batch, logs=None):
        report("Validation", batch + 1, self.validation)

    def on_epoch_end(self, epoch, logs=None):
        left = self.remaining()
        if left is not None and not self.said:
            self._say(left)

    def remaining(self) -> float | None:
        """Seconds until the end of all epochs; None before two steps were made."""
        if not self.steps:
            return None
        after = self.epochs - self.epoch - 1 + self.later
        steps = self.params["steps"] * (1 + after) - self.done
        return self.seconds / self.steps * steps + self.between * (1 + after)

    def _say(self, left: float) -> None:
        self.said = True
        if left >= SECONDS:
            follow = f" and the {self.later:,} that follow, if theirs take as long" if self.later else ""
            own = counted(self.epochs - self.epoch, "epoch")
            self.say(f"Expected time: about {duration(left)} for {own}{follow}")
