"""The progress of a training and its expected remaining time."""

import time
from collections.abc import Callable

import keras

from keras_gen import progress
from keras_gen.progress import counted, duration, report

# the expected time is reported after this many steps of at least a second in all, or after this many seconds, if it is
# longer than that many seconds
STEPS, SECONDS = 10, 5.0


class ReportProgress(keras.callbacks.Callback):
    """Reports the compilation, every step and the validation, with the remaining time of the epoch and of all epochs.

    After the first steps it reports once how long the whole training is expected to take.

    Args:
        what: What the progress bar calls an epoch, such as `"Epoch"`.
        epochs: The number of the last epoch.
        later: Number of epochs that are trained afterwards; they are expected to take the same time.
        validation: Number of batches of a validation; 0 without one.
        faster_at_first: Whether later epochs take longer, since the images grow.
        say: Called with every message.
        clock: Returns the time in seconds; for tests.
    """

    def __init__(
        self,
        what: str,
        epochs: int,
        *,
        later: int = 0,
        validation: int = 0,
        faster_at_first: bool = False,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.what, self.epochs, self.later, self.validation = what, epochs, later, validation
        self.faster_at_first, self.say, self.clock = faster_at_first, say, clock
        self.epoch, self.done, self.steps_per_epoch = 0, 0, 0
        # measured steps and their seconds, and the seconds between two epochs
        self.steps, self.seconds, self.between = 0.0, 0.0, 0.0
        self.last_step: float | None = None
        self.last_report: float | None = None
        self.announced = False

    def set_params(self, params):
        super().set_params(params)
        self.steps_per_epoch = params["steps"]

    def on_train_begin(self, logs=None):
        report("Compiling the first step")

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.done, now = epoch, 0, self.clock()
        if self.last_step is not None:
            self.between, self.last_step = now - self.last_step, now
            # the speed of later epochs counts more, since a phase, or another load of the machine, changes it
            self.steps, self.seconds = self.steps / 2, self.seconds / 2

    def on_train_batch_end(self, batch, logs=None):
        now = self.clock()
        if self.last_step is not None:  # the first step was compiled, so its time is not that of the others
            self.steps, self.seconds = self.steps + batch + 1 - self.done, self.seconds + now - self.last_step
        self.last_step, self.done = now, batch + 1
        left = self.remaining()
        if left is not None and ((self.steps >= STEPS and self.seconds >= 1) or self.seconds >= SECONDS):
            self._announce(left)
        last = self.done == self.steps_per_epoch
        if last or self.last_report is None or now - self.last_report >= progress.STEP_INTERVAL:
            self.last_report = now
            note = "" if left is None else f"about {duration(left)} left in all"
            report(f"{self.what} {self.epoch + 1} of {self.epochs}", self.done, self.steps_per_epoch, note)

    def on_test_begin(self, logs=None):
        report("Validation", 0, self.validation)

    def on_test_batch_end(self, batch, logs=None):
        report("Validation", batch + 1, self.validation)

    def on_epoch_end(self, epoch, logs=None):
        left = self.remaining()
        if left is not None:
            self._announce(left)

    def remaining(self) -> float | None:
        """Returns the seconds until the end of all epochs; None before the second step."""
        if not self.steps:
            return None
        epochs = self.epochs - self.epoch + self.later
        steps = self.steps_per_epoch * epochs - self.done
        return self._step() * steps + self.between * epochs

    def _announce(self, left: float) -> None:
        if not self.announced and left >= SECONDS:
            epochs = self.epochs - self.epoch
            updates = counted(self.steps_per_epoch * epochs - self.done, "update")
            following = f", and {counted(self.later, 'epoch')} that follow, if these take as long" if self.later else ""
            about = "more than" if self.faster_at_first else "about"
            growing = ", which take longer as the images grow" if self.faster_at_first else ""
            self.say(
                f"Expected time: {about} {duration(left)} for {updates} of {milliseconds(self._step())}{growing}, in "
                f"{counted(epochs, 'epoch')}{following}. This is a first estimate; the progress has the current one"
            )
        self.announced = True

    def _step(self) -> float:
        return self.seconds / self.steps


def milliseconds(seconds: float) -> str:
    """Returns the duration of a step in readable units.

    Example:
        >>> milliseconds(0.0123), milliseconds(0.4), milliseconds(2.5)
        ('12 ms', '400 ms', '2.5 s')
    """
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
