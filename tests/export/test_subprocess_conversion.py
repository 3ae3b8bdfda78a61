"""The conversion server process: crashes of its children, and its end."""

import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from keras_gen.export import export_model, subprocess_conversion, worker

from .conftest import blobs, file_contents, small_model

# dynamic-range jobs abort, as TFLite's interpreter does on some models
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
# jobs never end; they write the pids of the server and of its child
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
def use_worker(monkeypatch):
    """A function that replaces the worker with a script."""
    subprocess_conversion.close()
    yield lambda script: monkeypatch.setattr(subprocess_conversion, "WORKER", ("-c", script))
    subprocess_conversion.close()


def test_a_crash_raises_and_leaves_the_export_unchanged(folder, tmp_path, use_worker):
    """If the converting process aborts, the error names the stage, the signal and the last output."""
    use_worker(ABORTS)
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    before = file_contents(copy)
    arguments = {"calibration": blobs(32, size=8), "format": "tflite"}
    message = "while starting the converter: .* was killed by SIGABRT. Nothing was changed.*last output: Check failed"
    for _ in range(2):
        with pytest.raises(RuntimeError, match=message) as error:
            export_model(small_model(), copy, quantize="dynamic", **arguments)
        assert str(error.value).count("Check failed") == 1  # only the output of this job
    assert file_contents(copy) == before
    assert [item.name for item in tmp_path.iterdir()] == ["export"]
    if worker.FORKS:
        server = subprocess_conversion._server.process
        export_model(small_model(), copy, quantize="none", **arguments)
        assert subprocess_conversion._server.process is server and server.poll() is None


def test_a_worker_that_cannot_start_raises(tmp_path, use_worker):
    use_worker("raise ImportError('libtensorflow is damaged')")
    with pytest.raises(RuntimeError, match="(?s)ended with code 1. Nothing was changed.*libtensorflow is damaged"):
        export_model(small_model(), tmp_path / "export", calibration=blobs(32, size=8), format="tflite")
    assert list(tmp_path.iterdir()) == []


@forks
def test_no_process_outlives_a_killed_caller(tmp_path):
    caller = subprocess.Popen([sys.executable, "-c", CALLER, HANGS, str(tmp_path)])
    wait_until((tmp_path / "pids").exists)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(map(is_running, pids))
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    wait_until(lambda: not any(map(is_running, pids)))


@forks
def test_an_idle_server_ends_and_cannot_be_used(tmp_path, use_worker):
    use_worker("from keras_gen.export import worker; worker.IDLE = 0; worker.serve()")
    server = subprocess_conversion.Server()
    assert server.process.wait(60) == 0
    assert server.run(tmp_path) is None and not server.usable
    server.close()


def wait_until(condition) -> None:
    """Waits for a condition, at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Returns whether a process exists and is not a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
