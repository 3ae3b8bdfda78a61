"""Progress of what takes long: a bar on a terminal, a line now and then where the output is a file."""

import sys
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


class Progress:
    """Reports what is being done, with counts and the remaining time.

    On a terminal this is one line that disappears at the end. Elsewhere (a file, a pipe) each activity is announced by
    a line once it has lasted two seconds, and again every 15 seconds.

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
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, *times, transient=True, console=console)
        self._lines = shown and self._bar is None
        self._task, self._what, self._began, self._next = None, None, 0.0, 0.0

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, what: str, done: int = 0, total: int = 0) -> None:
        """Reports the current activity.

        Args:
            what: the activity; a new name begins a new one.
            done: how much of it is finished.
            total: how much there is; 0 where that is unknown.
        """
        if what != self._what:
            self._begin(what, total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None)
        elif self._lines and self._clock() >= self._next:
            self._next = self._clock() + EVERY
            print(self._line(what, done, total), file=self._stream, flush=True)

    def _begin(self, what: str, total: int) -> None:
        self._what, self._began = what, self._clock()
        self._next = self._began + FIRST
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total or None)

    def _line(self, what: str, done: int, total: int) -> str:
        if not total:
            return f"{what} ..."
        elapsed = self._clock() - self._began
        left = f", about {duration(elapsed * (total - done) / done)} left" if 0 < done < total else ""
        return f"{what}: {done:,} of {total:,}{left}"


def duration(seconds: float) -> str:
    """A length of time as people say it: `"40 s"`, `"3 min"`, `"2 h 10 min"`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
