import signal

import pytest


@pytest.fixture(autouse=True)
def handle_sigint():
    """Restores the default handler of SIGINT, which background jobs of a shell ignore."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)
