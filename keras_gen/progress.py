"""Progress of what takes long: a bar on a terminal, a line now and then where the output is a file."""

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
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

# seconds: a wait of less is not reported to a file, and two lines about one activity are at least so far apart
FIRST, EVERY = 2.0, 15.0
# seconds between two looks at whether an activity that reports nothing itself is to be announced
BEAT = 0.5
# seconds between two reports of something that is repeated as often as a step of a training
PAUSE = 0.1
# those that are open, the innermost last: `report` reaches it from everywhere
_OPEN: list["Progress"] = []


class Progress:
    """Reports what is being done, with counts and the remaining time.

    On a terminal this is one line that disappears at the end. Elsewhere (a file, a pipe) each activity is announced by
    a line once it has lasted two seconds, and again every 15 seconds, also where it does not report anything itself. Of
    several that are open, only the innermost shows anything.

    Args:
        shown: False reports nothing.
        stream: where to; None is the standard output.
        clock: seconds, for tests.
    """

    def __init__(
        self, shown: bool = True, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ):
        self._stream, self._clock = stream or sys.stdout, clock
        console = Console(file=self._stream)
        self._bar = None
        if shown and console.is_terminal:
            text = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn())
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, *times, transient=True, console=console)
        self._lines = shown and self._bar is None
        self._task, self._what, self._began, self._next = None, None, 0.0, 0.0
        self._counts, self._lock, self._ended = (0, 0, ""), threading.RLock(), threading.Event()

    def __enter__(self) -> "Progress":
        if _OPEN:
            _OPEN[-1]._stop()
        _OPEN.append(self)
        self._start()
        return self

    def __exit__(self, *error) -> None:
        self._stop()
        _OPEN.remove(self)
        if _OPEN:
            _OPEN[-1]._start()

    def _start(self) -> None:
        if self._bar is not None:
            self._bar.start()
        elif self._lines:
            self._ended = threading.Event()
            threading.Thread(target=self._beat, args=(self._ended,), daemon=True).start()

    def _stop(self) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()

    def _beat(self, ended: threading.Event) -> None:
        """Write the lines of an activity that does not call `update` while it lasts, such as an import."""
        while not ended.wait(BEAT):
            with self._lock:
                if self._what is not None and not ended.is_set():
                    self._write()

    def update(self, what: str, done: int = 0, total: int = 0, note: str = "") -> None:
        """Reports the current activity.

        Args:
            what: the activity; a new name begins a new one.
            done: how much of it is finished.
            total: how much there is; 0 where that is unknown.
            note: what else to say about it.
        """
        with self._lock:
            if what != self._what:
                self._begin(what, total)
            self._counts = (done, total, note)
            if self._bar is not None:
                description = f"{what} ({note})" if note else what
                self._bar.update(self._task, completed=done, total=total or None, description=description)
            else:
                self._write()

    def _write(self) -> None:
        if self._lines and self._clock() >= self._next:
            self._next = self._clock() + EVERY
            self._stream.write(self._line(self._what, *self._counts) + "\n")  # at once: another thread may print
            self._stream.flush()

    def _begin(self, what: str, total: int) -> None:
        self._what, self._began = what, self._clock()
        self._next = self._began + FIRST
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total or None)

    def _line(self, what: str, done: int, total: int, note: str) -> str:
        elapsed = self._clock() - self._began
        note = f"; {note}" if note else ""
        if not total:
            return f"{what} ..." + (f" {duration(elapsed)} so far" if elapsed >= EVERY else "") + note
        left = f", about {duration(elapsed * (total - done) / done)} left" if 0 < done < total else ""
        return f"{what}: {done:,} of {total:,}{left}{note}"


def report(what: str, done: int = 0, total: int = 0, note: str = "") -> None:
    """Report an activity to the `Progress` that is open, from code that is not handed one; see `Progress.update`."""
    if _OPEN:
        _OPEN[-1].update(what, done, total, note)


def counted(number: int, what: str) -> str:
    """A number with its noun: `counted(1, "epoch")` is "1 epoch", `counted(2000, "epoch")` is "2,000 epochs"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A length of time as people say it: `"40 s"`, `"3 min"`, `"2 h 10 min"`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
