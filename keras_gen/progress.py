"""Progress of long activities: a bar on a terminal, and lines at intervals if the output is a file."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

# seconds until the first line about an activity, and between two lines about it, if the output is a file
ANNOUNCE_AFTER, REPEAT_AFTER = 2.0, 15.0
# seconds between two checks whether a line is due about an activity that does not report itself
POLL_INTERVAL = 0.5
# seconds between two reports of an activity that is as frequent as a training step
STEP_INTERVAL = 0.1
# the open ones, the innermost last: `report` uses it
_OPEN: list["Progress"] = []


class Progress:
    """Reports the current activity, with counts and the remaining time.

    On a terminal this is one line that disappears at the end. In a file or pipe, each activity has a line once it has
    taken two seconds, and again every 15 seconds, even if it does not report anything itself. If several are open, only
    the innermost one is shown.

    Args:
        shown: Whether anything is reported.
        stream: The stream to write to; None for the standard output.
        clock: Returns the time in seconds; for tests.
    """

    def __init__(
        self, shown: bool = True, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ):
        self._stream, self._clock = stream or sys.stdout, clock
        console = Console(file=self._stream)
        self._bar: Bar | None = None
        if shown and console.is_terminal:
            text = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn())
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, *times, transient=True, console=console)
        self._writes_lines = shown and self._bar is None
        self._task: TaskID | None = None
        self._what: str | None = None
        self._start_time, self._next_line = 0.0, 0.0
        self._counts, self._lock, self._ended = (0, 0, ""), threading.RLock(), threading.Event()

    def __enter__(self) -> "Progress":
        if _OPEN:
            _OPEN[-1]._stop()
        _OPEN.append(self)
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        _OPEN.remove(self)
        if _OPEN:
            _OPEN[-1]._start()

    def _start(self) -> None:
        if self._bar is not None:
            self._bar.start()
        elif self._writes_lines:
            self._ended = threading.Event()
            threading.Thread(target=self._poll, args=(self._ended,), daemon=True).start()

    def _stop(self) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()

    def _poll(self, ended: threading.Event) -> None:
        """Writes the lines of an activity that does not call `update`, such as an import."""
        while not ended.wait(POLL_INTERVAL):
            with self._lock:
                if not ended.is_set():
                    self._write()

    def update(self, what: str, done: int = 0, total: int = 0, note: str = "") -> None:
        """Reports the current activity.

        Args:
            what: The activity; another name starts a new one.
            done: How much of it is finished.
            total: How much there is in total; 0 if that is unknown.
            note: A further remark.
        """
        with self._lock:
            if what != self._what:
                self._begin(what, total)
            self._counts = (done, total, note)
            if self._bar is not None and self._task is not None:
                description = f"{what} ({note})" if note else what
                self._bar.update(self._task, completed=done, total=total or None, description=description)
            else:
                self._write()

    def _begin(self, what: str, total: int) -> None:
        self._what, self._start_time = what, self._clock()
        self._next_line = self._start_time + ANNOUNCE_AFTER
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total or None)

    def _write(self) -> None:
        if self._writes_lines and self._what is not None and self._clock() >= self._next_line:
            self._next_line = self._clock() + REPEAT_AFTER
            self._stream.write(self._line(self._what, *self._counts) + "\n")  # in one call: other threads may print
            self._stream.flush()

    def _line(self, what: str, done: int, total: int, note: str) -> str:
        elapsed = self._clock() - self._start_time
        note = f"; {note}" if note else ""
        if not total:
            return f"{what} ..." + (f" {duration(elapsed)} so far" if elapsed >= REPEAT_AFTER else "") + note
        left = f", about {duration(elapsed * (total - done) / done)} left" if 0 < done < total else ""
        return f"{what}: {done:,} of {total:,}{left}{note}"


def report(what: str, done: int = 0, total: int = 0, note: str = "") -> None:
    """Reports an activity to the innermost open `Progress`, if there is one; see `Progress.update`."""
    if _OPEN:
        _OPEN[-1].update(what, done, total, note)


def counted(number: int, what: str) -> str:
    """Returns a number with its noun.

    Example:
        >>> counted(1, "epoch"), counted(2000, "epoch")
        ('1 epoch', '2,000 epochs')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Returns a duration in readable units.

    Example:
        >>> duration(40), duration(180), duration(7800)
        ('40 s', '3 min', '2 h 10 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
