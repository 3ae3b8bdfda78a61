"""The import of TensorFlow, which takes seconds: announced, and without what its libraries write meanwhile."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

DEBUG = "KERAS_GEN_DEBUG"


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Around the imports that need TensorFlow: says so, where it is not imported yet, to the progress that is open."""
    from .progress import report

    if "tensorflow" in sys.modules and "keras" in sys.modules:
        yield
        return
    report("Starting TensorFlow")
    with quietly():
        yield


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what libraries write to stderr while they load, and show it only if that fails."""
    if os.environ.get(DEBUG):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept, noise.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def errors_alone() -> None:
    """Let TensorFlow, TFDS and Keras log errors and no warnings, which speak of their own inner workings."""
    from absl import logging as absl_logging

    if not os.environ.get(DEBUG):
        absl_logging.set_verbosity(absl_logging.ERROR)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
