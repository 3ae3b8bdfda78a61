import signal

import pytest


@pytest.fixture(autouse=True)
def ctrl_c():
    """Ctrl-C as in a terminal: a shell's background job ignores SIGINT."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)
