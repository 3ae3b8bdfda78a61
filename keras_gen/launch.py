"""`keras-gen launch`: several workers on this machine, to test multi-worker training.

This module imports no TensorFlow, so that wrong arguments are reported at once.
"""

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

GRACE = 30.0
SUPERVISED = "KERAS_GEN_SUPERVISED"
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
_POLL = 0.05


def launch(num_workers: int, arguments: Sequence[str], *, grace: float = GRACE) -> int:
    """Runs `keras-gen train ...` in several processes that train one model over the loopback interface.

    The workers train on the CPU: one process uses all GPUs of a machine with `--strategy mirrored`. The chief's output
    and every worker's errors are printed line by line, after the worker's number.

    Args:
        num_workers: Number of workers, >= 2.
        arguments: A command line of `keras-gen` without the program's name: `["train", "vae", "--out", ...]`.
        grace: Seconds between the signal that ends a worker and SIGKILL.

    Returns:
        The exit code of the worker that failed first (128 + the signal's number if a signal ended it); 0 if none did.

    Raises:
        ValueError: For fewer than two workers, another command than `train`, or another strategy than `multiworker`.
    """
    arguments = worker_arguments(num_workers, arguments)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
    environments = []
    for index in range(num_workers):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environments.append({"TF_CONFIG": json.dumps(cluster), "CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"})
    return supervise([sys.executable, "-m", "keras_gen.cli", *arguments], environments, grace=grace)


def worker_arguments(num_workers: int, arguments: Sequence[str]) -> list[str]:
    """Returns the command line of every worker: the user's, with `--strategy multiworker`.

    Args:
        num_workers: As for `launch`.
        arguments: As for `launch`.

    Raises:
        ValueError: As `launch`.
    """
    if num_workers < 2:
        raise ValueError(f"Expected at least 2 --workers; received {num_workers}. For one, run keras-gen train ...")
    if not arguments:
        raise ValueError("Expected a command; received none. Write: keras-gen launch --workers 2 -- train vae ...")
    if arguments[0] != "train":
        raise ValueError(
            f"Expected the command train; received {arguments[0]!r}. Only training runs on several workers: "
            "keras-gen launch --workers 2 -- train vae ..."
        )
    words = [word for argument in arguments for word in argument.split("=", 1)]
    chosen = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "--strategy"]
    if other := [name for name in chosen if name not in ("multiworker", "auto")]:
        raise ValueError(
            f"Expected --strategy multiworker; received {other[0]!r}. Leave --strategy out, or run keras-gen "
            f"train --strategy {other[0]} without launch"
        )
    return [*arguments] if chosen else ["train", "--strategy", "multiworker", *arguments[1:]]


def free_ports(num: int) -> list[int]:
    """Returns distinct free ports of the loopback interface."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(num)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


def supervise(command: Sequence[str], environments: Sequence[dict[str, str]], *, grace: float = GRACE) -> int:
    """Runs one process per environment until all have ended; if one fails, ends the others.

    SIGINT and SIGTERM are forwarded to all of them. They are not in this process's group, so that each of them receives
    Ctrl-C once. This function must be called in the main thread.

    Args:
        command: A program that calls `end_with_launcher`.
        environments: Variables to add, one dictionary per worker.
        grace: Seconds between the signal that ends a worker and SIGKILL.

    Returns:
        As `launch`.
    """
    received: list[int] = []
    workers: list[subprocess.Popen[str]] = []
    readers: list[threading.Thread] = []
    # the handler only records: a signal may arrive before the last worker has been started
    former = {number: signal.signal(number, lambda number, _: received.append(number)) for number in _FORWARDED}
    try:
        for index, variables in enumerate(environments):
            worker = subprocess.Popen(
                command,
                env={**os.environ, **variables, SUPERVISED: "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if index else subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            workers.append(worker)
            for stream, name in ((worker.stdout, "stdout"), (worker.stderr, "stderr")):
                if stream is not None:
                    readers.append(threading.Thread(target=_copy, args=(stream, f"[{index}] ", name), daemon=True))
                    readers[-1].start()
        code = _wait(workers, received, grace)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            if worker.stdin is not None:
                worker.stdin.close()
        for reader in readers:
            reader.join(timeout=5)  # a child process of a worker may still have the pipe open
        for number, handler in former.items():
            signal.signal(number, handler)
    return code


def _wait(workers: Sequence[subprocess.Popen], received: list[int], grace: float) -> int:
    """Waits for all workers, see `supervise`; `received` has the signals that have not been forwarded."""
    code, deadline, running = 0, math.inf, dict(enumerate(workers))
    while running:
        for index, worker in list(running.items()):
            if worker.poll() is None:
                continue
            del running[index]
            if worker.returncode and not code:
                code = worker.returncode if worker.returncode > 0 else 128 - worker.returncode
                if running and deadline == math.inf:
                    _say(f"worker {index} failed with exit code {code}; the others are stopped")
                    received.append(signal.SIGTERM)
        while received:
            number = received.pop(0)
            deadline = min(deadline, time.monotonic() + grace)
            for worker in running.values():
                worker.send_signal(number)
        if running and time.monotonic() > deadline:
            _say(f"after {grace:g} s, these workers still run and are killed: {', '.join(map(str, running))}")
            for worker in running.values():
                worker.kill()
            deadline = math.inf
        time.sleep(_POLL)
    return code


def _copy(stream: IO[str], prefix: str, name: str) -> None:
    """Copies lines to sys.stdout or sys.stderr; reads on if they are closed, or the worker would block."""
    with stream:
        for line in stream:
            with contextlib.suppress(OSError, ValueError):
                print(f"{prefix}{line.rstrip()}", file=getattr(sys, name), flush=True)


def _say(text: str) -> None:
    print(f"launch: {text}", file=sys.stderr, flush=True)


def end_with_launcher() -> None:
    """Ends this process when the launcher has ended, also by kill -9, if it is a worker of `supervise`.

    The launcher has the other end of this process's standard input, which the operating system closes with it.
    """
    if os.environ.pop(SUPERVISED, None) is None:
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
