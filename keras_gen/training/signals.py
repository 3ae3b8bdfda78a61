"""Signals that ask a training to end: the first lets it finish its step and save, the second ends it at once."""

import signal
import sys
import threading

ASKED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While it is open, the first SIGINT (Ctrl-C) or SIGTERM (which schedulers send before preemption) is kept.

    The handlers of before are back as soon as one has arrived, so that a second signal acts at once. A signal that
    the process ignores (as a shell's background job ignores SIGINT) stays ignored. Python lets only the main thread
    handle signals: elsewhere this does nothing.

    Attributes:
        received: the signal that has arrived, or None.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self._former = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            heard = [each for each in ASKED if signal.getsignal(each) != signal.SIG_IGN]
            self._former = {each: signal.signal(each, self._receive) for each in heard}
        return self

    def __exit__(self, *error) -> None:
        self._restore()

    def _receive(self, number, frame) -> None:
        self.received = signal.Signals(number)
        self._restore()
        print(
            f"\n{self.received.name}: saving after this step. A second signal stops at once, without saving.",
            file=sys.stderr,
            flush=True,
        )

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._former = {}
