"""Latency of an endpoint and memory of the process."""

import pathlib
import time

import numpy as np

from .inputs import check_positive
from .runtime import Runtime


def measure(model: Runtime, signature: str, repeats: int) -> dict[str, float | None]:
    """Measures the latency of an endpoint for one batch of zeros, and the peak memory of this process.

    Args:
        model: the exported model.
        signature: name of the endpoint.
        repeats: timed calls, >= 1, after a first one.

    Returns:
        `median_ms`, `fastest_ms` and `first_ms` (with the interpreter's preparation) in milliseconds, and `peak_mb`.
    """
    check_positive("repeats", repeats)
    ports = model.signatures[signature]["inputs"]
    inputs = {name: np.zeros((model.batch, *port["shape"]), np.float32) for name, port in ports.items()}
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        model.run(signature, **inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return {
        "median_ms": float(np.median(times[1:])),
        "fastest_ms": min(times[1:]),
        "first_ms": times[0],
        "peak_mb": peak_memory(),
    }


def peak_memory() -> float | None:
    """Returns the largest resident memory of this process in MB (10**6 bytes), or None if it is not known."""
    try:  # getrusage would count the memory of the parent before exec
        status = pathlib.Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
