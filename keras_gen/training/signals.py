"""Signals that ask a training to end: the first lets it finish its step and save, the second ends it at once."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

ASKED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While it is open, SIGINT (Ctrl-C) raises KeyboardInterrupt, and SIGTERM SystemExit(143).

    Within `deferred`, the first of them is kept instead: the training finishes its step and saves. The former handlers
    are back as soon as one has arrived, so that a second signal acts at once. A signal that the process ignores (as a
    shell's background job ignores SIGINT) stays ignored. Python lets only the main thread handle signals: elsewhere
    this does nothing.

    Attributes:
        received: the signal that has arrived, or None.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._former, self._deferred = {}, False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Keep the first signal in `received`; whoever opens this looks at it after each step."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            heard = [each for each in ASKED if signal.getsignal(each) != signal.SIG_IGN]
            self._former = {each: signal.signal(each, self._receive) for each in heard}
        return self

    def __exit__(self, *error) -> None:
        self._restore()

    def _receive(self, number, frame) -> None:
        received = signal.Signals(number)
        self._restore()
        if not self._deferred:
            raise end_by(received)
        self.received = received
        print(
            f"\n{self.received.name}: saving after this step. A second signal stops at once, without saving.",
            file=sys.stderr,
            flush=True,
        )

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._former = {}


def end_by(number: signal.Signals) -> BaseException:
    """What ends a process that received a signal: its exit code is 128 + the signal's number, as shells have it."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
