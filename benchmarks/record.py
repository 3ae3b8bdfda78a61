"""What every result carries: when, on what hardware, with which versions."""

import datetime
import os
import pathlib
import platform

from keras_gen import runs

RESULTS = pathlib.Path(__file__).parent / "results"


def write(name: str, content: dict) -> pathlib.Path:
    """Write benchmarks/results/`name`.json with date, hardware and versions added."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    about = {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "python": platform.python_version(),
        "versions": runs.versions(),
    }
    runs.write_json(file, {**content, **about})
    return file


def hardware() -> str:
    """Processor model, cores this process may use, and memory."""
    model = platform.processor() or platform.machine()
    if pathlib.Path("/proc/cpuinfo").exists():
        names = [line for line in open("/proc/cpuinfo") if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} cores, {memory:.0f} GiB, no GPU"
