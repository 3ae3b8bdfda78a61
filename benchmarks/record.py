"""Writes results with their date, hardware and package versions."""

import datetime
import os
import pathlib
import platform
import subprocess

from keras_gen import runs

RESULTS = pathlib.Path(__file__).parent / "results"


def write(name: str, content: dict) -> pathlib.Path:
    """Writes benchmarks/results/`name`.json with date, hardware and versions added, and returns its path."""
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


def read(name: str) -> dict:
    """Returns the content of benchmarks/results/`name`.json, or an empty dict if there is no such file."""
    file = RESULTS / f"{name}.json"
    return runs.read_json(file) if file.exists() else {}


def write_run(name: str, seed: int | str, run: dict, content: dict) -> pathlib.Path:
    """Writes a result whose `runs` are by seed; runs of other seeds in an earlier result remain.

    Args:
        name: Name of the result.
        seed: The run's seed, or a text that contains it.
        run: The run's result.
        content: Everything but `runs`.
    """
    return write(name, {**content, "runs": read(name).get("runs", {}) | {str(seed): run}})


def hardware() -> str:
    """Returns processor model, cores this process may use, memory, and NVIDIA GPUs."""
    model = platform.processor() or platform.machine()
    if (processors := pathlib.Path("/proc/cpuinfo")).exists():
        names = [line for line in processors.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores"
    return f"{model}, {cores}, {memory:.0f} GiB, {', '.join(gpus()) or 'no GPU'}"


def gpus() -> list[str]:
    """Returns the names of this machine's NVIDIA GPUs, by their driver."""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
