"""Memory of this process, as Linux reports it."""

import pathlib


def memory() -> dict[str, float]:
    """Returns `resident_mb` now and `peak_mb` so far, in MB (10**6 bytes)."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Vm")}
    return {"resident_mb": values["VmRSS"], "peak_mb": values["VmHWM"]}
