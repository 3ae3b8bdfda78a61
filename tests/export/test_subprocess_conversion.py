"""The process that converts: crashes of its children, and when it ends."""

import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from keras_gen.export import export_model, subprocess_conversion, worker

from .conftest import blobs, small, tree

# a job of dynamic range aborts, as TFLite's interpreter does on some models
ABORTS = """
import json, os, sys
from keras_gen.export import worker
convert = worker.main
def main(scratch):
    if "dynamic" in json.loads((scratch / "job.json").read_text())["files"]:
        print("Check failed: a dimension", file=sys.stderr)
        os.abort()
    convert(scratch)
worker.main = main
worker.serve()
"""
# a job that never ends; the pids of the server and of the child that does the job
HANGS = """
import os, time
from keras_gen.export import worker
def main(scratch):
    (scratch / "pids.tmp").write_text(f"{os.getppid()} {os.getpid()}")
    os.replace(scratch / "pids.tmp", scratch / "pids")
    time.sleep(600)
worker.main = main
worker.serve()
"""
CALLER = """
import pathlib, sys
from keras_gen.export import subprocess_conversion
subprocess_conversion.WORKER = ("-c", sys.argv[1])
subprocess_conversion.Server().run(pathlib.Path(sys.argv[2]))
"""
forks = pytest.mark.skipif(not worker.FORKS, reason="a process for each job")


@pytest.fixture
def worker_is(monkeypatch):
    """A function that has jobs done by a script of its own."""
    subprocess_conversion.close()
    yield lambda script: monkeypatch.setattr(subprocess_conversion, "WORKER", ("-c", script))
    subprocess_conversion.close()


def test_crash_is_an_error_and_loses_nothing(folder, tmp_path, worker_is):
    """The converting process aborts: the message names the stage, the signal and the last output."""
    worker_is(ABORTS)
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    before = tree(copy)
    arguments = {"calibration": blobs(32, size=8), "format": "tflite"}
    message = "while starting the converter: .* was killed by SIGABRT. Nothing was changed.*last output: Check failed"
    for _ in range(2):
        with pytest.raises(RuntimeError, match=message) as error:
            export_model(small(), copy, quantize="dynamic", **arguments)
        assert str(error.value).count("Check failed") == 1  # of this job alone
    assert tree(copy) == before
    assert [item.name for item in tmp_path.iterdir()] == ["export"]
    if worker.FORKS:
        server = subprocess_conversion._server.process
        export_model(small(), copy, quantize="none", **arguments)
        assert subprocess_conversion._server.process is server and server.poll() is None


def test_a_worker_that_cannot_start_is_an_error(tmp_path, worker_is):
    worker_is("raise ImportError('libtensorflow is damaged')")
    with pytest.raises(RuntimeError, match="(?s)ended with code 1. Nothing was changed.*libtensorflow is damaged"):
        export_model(small(), tmp_path / "export", calibration=blobs(32, size=8), format="tflite")
    assert list(tmp_path.iterdir()) == []


@forks
def test_nothing_outlives_a_caller_that_is_killed(tmp_path):
    caller = subprocess.Popen([sys.executable, "-c", CALLER, HANGS, str(tmp_path)])
    until((tmp_path / "pids").exists)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(map(runs, pids))
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    until(lambda: not any(map(runs, pids)))


@forks
def test_an_idle_worker_ends_and_the_next_job_starts_another(tmp_path, worker_is):
    worker_is("from keras_gen.export import worker; worker.IDLE = 0; worker.serve()")
    server = subprocess_conversion.Server()
    assert server.process.wait(60) == 0
    assert server.run(tmp_path) is None and not server.usable
    server.close()


def until(condition) -> None:
    """Wait, a minute at most."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
