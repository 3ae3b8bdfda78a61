"""The import of TensorFlow, which takes seconds: it is reported, and the messages of its libraries are suppressed."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

DEBUG = "KERAS_GEN_DEBUG"


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Returns a context for imports that need TensorFlow, which reports them to the open `Progress` the first time."""
    from .progress import report

    if "tensorflow" in sys.modules and "keras" in sys.modules:
        yield
        return
    report("Starting TensorFlow")
    with suppress_native_stderr():
        yield


@contextlib.contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Suppresses what libraries write to stderr while they load, native code included, unless that raises an error."""
    if os.environ.get(DEBUG):
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        try:
            yield
        except BaseException:
            output.seek(0)
            os.write(stderr, output.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def log_errors_only() -> None:
    """Sets TensorFlow, TFDS and Keras to log errors, without warnings about their internals."""
    from absl import logging as absl_logging

    if not os.environ.get(DEBUG):
        absl_logging.set_verbosity(absl_logging.ERROR)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
