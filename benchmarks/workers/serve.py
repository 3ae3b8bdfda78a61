"""The protocol between a benchmark and its workers: a line "run N" in, the seconds of N steps out."""

import json
import sys
import time
from collections.abc import Callable


def serve(run: Callable[[int], object], about: dict) -> None:
    """Answers "run N" with the seconds that `run(N)` takes, until standard input ends.

    Args:
        run: Trains N steps and returns when the last has finished.
        about: Description of the worker (versions, threads, parameters), printed first.
    """
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        start = time.perf_counter()
        run(steps)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
