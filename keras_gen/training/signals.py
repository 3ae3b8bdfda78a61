"""Signals that stop a training: after the first it finishes its step and saves, after the second it ends at once."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

HANDLED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """A context in which SIGINT (Ctrl-C) raises KeyboardInterrupt, and SIGTERM SystemExit(143).

    Within `deferred`, the first signal is recorded instead, and the training finishes its step and saves. The former
    handlers are restored as soon as a signal has arrived, so that a second one takes effect at once. A signal that the
    process ignores (a shell's background job ignores SIGINT) stays ignored. Python handles signals only in the main
    thread; in others this context does nothing.

    Attributes:
        received: The signal that has arrived, or None.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._former: dict[signal.Signals, Any] = {}
        self._deferred = False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Records the first signal in `received`; the caller checks it after each step."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            handled = [number for number in HANDLED if signal.getsignal(number) != signal.SIG_IGN]
            self._former = {number: signal.signal(number, self._receive) for number in handled}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        received = signal.Signals(number)
        self._restore()
        if not self._deferred:
            raise end_by(received)
        self.received = received
        print(
            f"\n{received.name}: saving after this step. A second signal stops at once, without saving.",
            file=sys.stderr,
            flush=True,
        )

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._former = {}


def end_by(number: signal.Signals) -> BaseException:
    """Returns the exception that ends a process after a signal: its exit code is 128 + the signal's number."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
