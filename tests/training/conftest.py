import signal

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def handle_sigint():
    """Restores the default handler of SIGINT, which background jobs of a shell ignore."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture
def npz(tmp_path):
    """The path of an .npz file with 50 black images of 8x8."""
    path = tmp_path / "toy.npz"
    np.savez(path, image=np.zeros((50, 8, 8, 1), np.uint8))
    return path
