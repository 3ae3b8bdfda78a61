"""Conversion in another process, so that a crash of TensorFlow's converter becomes a clear error."""

import atexit
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_gen.progress import report

PACKAGE_ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = ("-m", "keras_gen.export.worker")
LOG_LINE = re.compile(r"[IW]\d{4} |WARNING: All log messages before absl")  # TensorFlow writes these in every process
POLL_SECONDS = 0.2  # between two readings of the other process's progress
MAX_CHARACTERS = 1500  # of the other process's output in a message


def convert_and_check(
    scratch: pathlib.Path,
    *,
    traced: str,
    files: dict[str, str],
    batch: int,
    saved_model: str | None,
    tables: dict[str, dict[str, dict[str, np.ndarray]]],
    kinds: dict[str, dict[str, str]],
) -> dict[str, Any]:
    """Converts to every precision and compares the results with Keras, in a separate process.

    Args:
        scratch: folder with the SavedModels; the .tflite files are written there.
        traced: name of the SavedModel with fixed shapes.
        files: precision -> file to write.
        batch: the fixed batch size.
        saved_model: name of the SavedModel to check, or None.
        tables: `calibration` and `inputs` (endpoint -> {input: array}) and `expected` (endpoint -> {output: array}).
        kinds: endpoint -> {output: its kind}; images have an error bound.

    Returns:
        {"files": {precision: {"file", "bytes", "sha256", "seconds", "float_fallback", "operations", "endpoints"}},
        "saved_model": ...}.

    Raises:
        ValueError: if the endpoints use operations without a TFLite builtin.
        RuntimeError: if conversion or check fails, or the process is killed; the message names the stage.
    """
    arrays, keys = _by_key(tables)
    np.savez(scratch / "arrays.npz", **arrays)  # ty: ignore[invalid-argument-type]  (numpy's stub: no key is allow_pickle)
    job = {
        "traced": traced, "files": files, "batch": batch, "saved_model": saved_model, "tables": keys, "kinds": kinds,
    }  # fmt: skip
    (scratch / "job.json").write_text(json.dumps(job))
    (scratch / "stage.txt").write_text("0 0 starting the converter")
    with _reporting(scratch / "stage.txt"):
        status, output = _run(scratch)
    result = scratch / "result.json"
    if status == 0 and result.is_file():
        return json.loads(result.read_text())
    stage = (scratch / "stage.txt").read_text().split(" ", 2)[2]
    if (scratch / "error.json").is_file():
        error = json.loads((scratch / "error.json").read_text())
        if error["unsupported"]:
            raise ValueError(error["message"])
        raise RuntimeError(f"Export failed while {stage}: {error['message'][:MAX_CHARACTERS]}. Nothing was changed")
    output = "\n".join(line for line in output.splitlines() if not LOG_LINE.match(line))
    raise RuntimeError(
        f"Export failed while {stage}: the converting process {_describe_exit(status)}. Nothing was changed. Try "
        f"another precision (--quantize none); its last output: {output[-MAX_CHARACTERS:].strip() or 'none'}"
    )


@contextlib.contextmanager
def _reporting(stage: pathlib.Path) -> Iterator[None]:
    """Reports the progress that the other process writes into a file: done, total and the current stage."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(POLL_SECONDS):
            with contextlib.suppress(OSError, ValueError):  # the file is being written
                done, total, what = stage.read_text().split(" ", 2)
                report(f"{what[0].upper()}{what[1:]}", int(done), int(total))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Server:
    """A process that has TensorFlow loaded and runs jobs one after another, each in a child process (worker.py)."""

    def __init__(self):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")])),
            # conversion needs no GPU, and this process may hold all of its memory
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        # a file instead of a pipe: nothing reads it while a job runs, and a full pipe would block the job
        self.stderr = tempfile.TemporaryFile()
        # -P: a file tensorflow.py in the current directory is not imported
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", *WORKER],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True,
        )  # fmt: skip
        self.owner = os.getpid()

    @property
    def usable(self) -> bool:
        """Whether it runs and was started by this process; a fork of this process must not share its pipes."""
        return self.owner == os.getpid() and self.process.poll() is None

    def run(self, scratch: pathlib.Path) -> tuple[int, str] | None:
        """Runs the job in a scratch folder.

        Returns:
            its exit status (minus the signal that killed it) and its output to stderr. If the process ends without an
            answer, its own status; None if it had ended because it was idle.
        """
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        start = os.fstat(self.stderr.fileno()).st_size
        try:
            print(json.dumps(str(scratch.absolute())), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        answer = self.process.stdout.readline()
        if not answer and self.process.wait() == 0:
            return None
        self.stderr.seek(start)
        return int(answer or self.process.returncode), self.stderr.read().decode(errors="replace")

    def close(self) -> None:
        """Ends the process and any running job."""
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()


_server: Server | None = None
_lock = threading.Lock()


def _run(scratch: pathlib.Path) -> tuple[int, str]:
    """Runs a job by the one server of this process, which is started with the first job; one job at a time."""
    global _server
    with _lock:
        while True:
            new = _server is None or not _server.usable
            if new:
                close()
                _server = Server()
            assert _server is not None
            try:
                result = _server.run(scratch)
            except BaseException:  # after Ctrl-C the next job would read this job's answer
                close()
                raise
            if result or new:
                return result or (0, "")


@atexit.register
def close() -> None:
    """Ends the server, if there is one."""
    global _server
    if _server is not None and _server.owner == os.getpid():
        _server.close()
    _server = None


def _by_key(
    tables: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]],
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, dict[str, str]]]]:
    """Returns the arrays by unique keys (shared ones once), and the tables with keys instead of arrays."""
    key_of_id: dict[int, str] = {}
    arrays: dict[str, np.ndarray] = {}

    def key_of(array: np.ndarray) -> str:
        key = key_of_id.setdefault(id(array), f"a{len(key_of_id)}")
        arrays[key] = array
        return key

    keys = {
        table: {
            endpoint: {name: key_of(array) for name, array in columns.items()} for endpoint, columns in content.items()
        }
        for table, content in tables.items()
    }
    return arrays, keys


def _describe_exit(status: int) -> str:
    if status >= 0:
        return f"ended with code {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
