"""`keras-gen launch`: several workers on this machine, for trying multi-worker training out.

Imports no TensorFlow, so that what does not fit is refused at once.
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

GRACE = 30.0
SUPERVISED = "KERAS_GEN_SUPERVISED"
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
_POLL = 0.05


def launch(num_workers: int, arguments: Sequence[str], *, grace: float = GRACE) -> int:
    """Run `keras-gen train ...` in several processes that train one model together over the loopback interface.

    The workers train on the CPU: one process uses all GPUs of a machine with `--strategy mirrored`. Lines of the
    chief's output and of every worker's errors are printed behind the worker's number.

    Args:
        num_workers: >= 2.
        arguments: a command line of `keras-gen` without the program's name: `["train", "vae", "--out", ...]`.
        grace: seconds between the signal that ends a worker and SIGKILL.

    Returns:
        The exit code of the worker that failed first (128 + the signal's number if a signal ended it); 0 if none did.

    Raises:
        ValueError: for fewer than two workers, another command than `train`, or another strategy than `multiworker`.
    """
    arguments = worker_arguments(num_workers, arguments)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
    environments = []
    for index in range(num_workers):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environments.append({"TF_CONFIG": json.dumps(cluster), "CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"})
    return supervise([sys.executable, "-m", "keras_gen.cli", *arguments], environments, grace=grace)


def worker_arguments(num_workers: int, arguments: Sequence[str]) -> list[str]:
    """The command line of every worker: the user's, with `--strategy multiworker`.

    Raises:
        ValueError: see `launch`.
    """
    if num_workers < 2:
        raise ValueError(f"--workers: expected at least 2; received {num_workers}. For one, run keras-gen train ...")
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
    """Distinct ports of the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(num)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def supervise(command: Sequence[str], environments: Sequence[dict[str, str]], *, grace: float = GRACE) -> int:
    """Run one process per environment until all have ended; if one fails, end the others.

    SIGINT and SIGTERM are passed on to all of them. They are not in this process's group, so that Ctrl-C reaches each
    of them once. Call it in the main thread.

    Args:
        command: a program that calls `end_with_launcher`.
        environments: variables to add, one dictionary per worker.
        grace: seconds between the signal that ends a worker and SIGKILL.

    Returns:
        See `launch`.
    """
    received, workers, readers = [], [], []
    # the handler only takes notes: a signal may come before the last worker has been started
    former = {each: signal.signal(each, lambda number, _: received.append(number)) for each in _FORWARDED}
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
            worker.stdin.close()
        for reader in readers:
            reader.join(timeout=5)  # a process that a worker has left behind may hold the pipe
        for number, handler in former.items():
            signal.signal(number, handler)
    return code


def _wait(workers: Sequence[subprocess.Popen], received: list[int], grace: float) -> int:
    """Wait for all workers, see `supervise`; `received` holds the signals that have not been passed on."""
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


def _copy(stream, prefix: str, name: str) -> None:
    """Copy lines to sys.stdout or sys.stderr. It reads on where they are closed, or the worker would block."""
    with stream:
        for line in stream:
            with contextlib.suppress(OSError, ValueError):
                print(f"{prefix}{line.rstrip()}", file=getattr(sys, name), flush=True)


def _say(text: str) -> None:
    print(f"launch: {text}", file=sys.stderr, flush=True)


def end_with_launcher() -> None:
    """In a worker of `supervise`: end this process when the launcher is gone, also after kill -9. Else do nothing.

    The launcher holds the other end of this process's standard input, which the operating system closes with it.
    """
    if os.environ.pop(SUPERVISED, None) is None:
        return

    def watch():
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
