"""Command lines of keras_gen that start in milliseconds, for faults and concurrent runs.

A server process imports TensorFlow and keras_gen once (8 CPU seconds) and runs no operation; it is the fork server of
`multiprocessing`. For each command line it forks a child that sets `sys.argv` and calls `keras_gen.cli.main()`, like
`python -m keras_gen.cli ARGS` after its imports. Signals and kills go to the child.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

# modules that the server imports; `keras_gen` is first, because it selects TensorFlow's kernels
PRELOADED = (
    *("keras_gen", "keras_gen.cli", "keras_gen.training.fitting", "keras_gen.evaluation", "keras_gen.export.exporting"),
    *("tensorflow_probability", "h5py", "ai_edge_litert.interpreter", "keras_gen.runtime"),
)
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def server() -> multiprocessing.context.ForkServerContext:
    """Returns the context whose processes are forked from a process that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # inherited by the server
    context.set_forkserver_preload(list(PRELOADED))
    return context


class Command:
    """A `keras-gen` command line in a separate process.

    Args:
        arguments: Arguments after `keras-gen`.
        log: File to which stdout and stderr are appended.
        environment: Variables to set, such as TF_CONFIG.
        start_at: `time.monotonic()` at which the command begins; None is immediately.

    Attributes:
        process: The process.
        started: `time.monotonic()` of its start.
    """

    def __init__(
        self,
        arguments: Sequence[object],
        log: pathlib.Path,
        environment: Mapping[str, str] | None = None,
        start_at: float | None = None,
    ):
        self.arguments, self.log = [str(argument) for argument in arguments], log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._offset = log.stat().st_size if log.exists() else 0
        self.process = server().Process(
            target=_main, args=(self.arguments, str(log), dict(environment or {}), start_at), daemon=True
        )
        self.process.start()
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process.is_alive()

    @property
    def code(self) -> int | None:
        """The exit code, the negative number of the signal that ended the process, or None while it runs."""
        return self.process.exitcode

    @property
    def output(self) -> str:
        """The output of the command so far."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            return file.read().decode(errors="replace")

    def send(self, number: int) -> bool:
        """Sends a signal; returns False if the process has already ended."""
        if not self.running or self.process.pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
            return True
        return False

    def wait(self, seconds: float) -> bool:
        """Waits for the end of the process; if it takes longer, kills the process and returns False."""
        self.process.join(seconds)
        if not self.running:
            return True
        self.send(signal.SIGKILL)
        self.process.join()
        return False


def _main(arguments: list[str], log: str, environment: dict[str, str], start_at: float | None) -> None:
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # line buffering, so that the output before a kill can be read
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))
    sys.argv = ["keras-gen", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, although a background job ignores it
    from keras_gen import cli

    try:
        if start_at is not None:
            time.sleep(max(0.0, start_at - time.monotonic()))
        cli.main()
    except KeyboardInterrupt:  # as the interpreter does by default
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


@dataclasses.dataclass
class Result:
    """The result of a function in a separate process.

    Attributes:
        value: Returned value; None after an exception.
        error: The exception as `"ValueError: text"`, or "".
        kinds: Names of the exception's classes, the most specific first.
        trace: Traceback of the exception.
        code: Exit code of the process, like `Command.code`.
        ended: Whether the process ended in time; otherwise it was killed.
        seconds: Duration.
        memory: Growth of the largest resident set in bytes; None if the process did not end by itself.
    """

    value: object = None
    error: str = ""
    kinds: tuple[str, ...] = ()
    trace: str = ""
    code: int | None = None
    ended: bool = True
    seconds: float = 0.0
    memory: int | None = None


def call(function: Callable, *arguments, seconds: float, log: pathlib.Path, memory: int | None = None) -> Result:
    """Calls a function in a forked process, so that crashes, hangs and memory exhaustion are isolated.

    Args:
        function: A function of a module; it and its arguments are pickled.
        *arguments: Arguments of the function.
        seconds: Limit of the duration.
        log: File for its output.
        memory: Limit of the growth of the address space in bytes; None sets no limit.
    """
    context = server()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, arguments, str(log), memory), daemon=True)
    start = time.monotonic()
    process.start()
    sender.close()
    result = None
    try:
        if receiver.poll(seconds):
            result = receiver.recv()
    except EOFError:  # the process ended without a result
        pass
    ended = result is not None or not process.is_alive() or process.join(1) or not process.is_alive()
    if result is None and not ended:
        process.kill()
    process.join(10)
    if process.is_alive():
        process.kill()
        process.join()
    result = result or Result(ended=bool(ended))
    result.code, result.seconds = process.exitcode, time.monotonic() - start
    return result


def _call(sender, function: Callable, arguments: tuple, log: str, memory: int | None) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))
    before = _largest()
    if memory is not None:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    result = Result()
    try:
        result.value = function(*arguments)
    except BaseException as error:
        result.error, result.trace = f"{type(error).__name__}: {error}", traceback.format_exc()
        result.kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    result.memory = _largest() - before
    sender.send(result)
    sender.close()


def _largest() -> int:
    """Returns the largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
