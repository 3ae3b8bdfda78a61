"""Start the converting process, and turn whatever happens to it into a result or a clear error."""

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
from collections.abc import Iterator

import numpy as np

from keras_gen.progress import report

PACKAGE_ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = ("-m", "keras_gen.export.worker")
LOG_LINE = re.compile(r"[IW]\d{4} |WARNING: All log messages before absl")  # what TensorFlow always says
PAUSE = 0.2  # seconds between two looks at the progress of the other process
SHOWN = 1500  # characters of the other process's last words


def convert_and_check(
    scratch: pathlib.Path,
    *,
    traced: str,
    files: dict[str, str],
    batch: int,
    saved_model: str | None,
    tables: dict[str, dict[str, dict[str, np.ndarray]]],
    kinds: dict[str, dict[str, str]],
) -> dict:
    """Convert to every precision and compare all of it with Keras, in one process of its own.

    Args:
        scratch: folder with the SavedModels; the .tflite files are written there.
        traced: name of the SavedModel with fixed shapes.
        files: precision -> file to write.
        batch: the fixed batch size.
        saved_model: name of the SavedModel to check, or None.
        tables: `calibration` and `inputs` (endpoint -> {input: array}) and `expected` (endpoint -> {output: array}).
        kinds: endpoint -> {output: its kind}; images have a bound, which int8 is to keep.

    Returns:
        {"files": {precision: {"file", "bytes", "sha256", "seconds", "float_fallback", "operations", "endpoints"}},
        "saved_model": ...}.

    Raises:
        ValueError: where the endpoints use operations without a TFLite builtin.
        RuntimeError: where conversion or check failed, or the process was killed; it says at which stage.
    """
    arrays, names = _numbered(tables)
    np.savez(scratch / "arrays.npz", **arrays)
    job = {"traced": traced, "files": files, "batch": batch, "saved_model": saved_model, "tables": names}
    job["kinds"] = kinds
    (scratch / "job.json").write_text(json.dumps(job))
    (scratch / "stage.txt").write_text("0 0 starting the converter")
    with _reported(scratch / "stage.txt"):
        status, words = _run(scratch)
    result = scratch / "result.json"
    if status == 0 and result.is_file():
        return json.loads(result.read_text())
    stage = (scratch / "stage.txt").read_text().split(" ", 2)[2]
    if (scratch / "error.json").is_file():
        error = json.loads((scratch / "error.json").read_text())
        if error["unsupported"]:
            raise ValueError(error["message"])
        raise RuntimeError(f"Export failed while {stage}: {error['message'][:SHOWN]}. Nothing was changed")
    words = "\n".join(line for line in words.splitlines() if not LOG_LINE.match(line))
    raise RuntimeError(
        f"Export failed while {stage}: the converting process {_how(status)}. Nothing was changed. Try "
        f"another precision (--quantize none); its last words: {words[-SHOWN:].strip() or 'none'}"
    )


@contextlib.contextmanager
def _reported(stage: pathlib.Path) -> Iterator[None]:
    """Report what the other process writes into a file about its progress: done, total and what it does."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(PAUSE):
            with contextlib.suppress(OSError, ValueError):  # it is just being written
                done, total, what = stage.read_text().split(" ", 2)
                report(f"{what[0].upper()}{what[1:]}", int(done), int(total))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Server:
    """A process that has TensorFlow loaded and does one job after another, each in a child of its own (worker.py)."""

    def __init__(self):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")])),
            # conversion needs no GPU, and this process may hold all of its memory
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        # a file and no pipe: nobody reads it while a job runs, and a full pipe would stop the job
        self.words = tempfile.TemporaryFile()
        # -P: a file tensorflow.py in the current directory is none of our business
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", *WORKER],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.words, text=True,
        )  # fmt: skip
        self.owner = os.getpid()

    @property
    def usable(self) -> bool:
        """Whether it runs and was started by this process; a fork of this process must not share its pipes."""
        return self.owner == os.getpid() and self.process.poll() is None

    def run(self, scratch: pathlib.Path) -> tuple[int, str] | None:
        """Do the job in a scratch folder.

        Returns:
            Its exit status (minus the signal that killed it) and what was written to stderr. A process that ends
            without an answer gives its own status; None where it ended because it had been idle.
        """
        start = os.fstat(self.words.fileno()).st_size
        try:
            print(json.dumps(str(scratch.absolute())), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        answer = self.process.stdout.readline()
        if not answer and self.process.wait() == 0:
            return None
        self.words.seek(start)
        return int(answer or self.process.returncode), self.words.read().decode(errors="replace")

    def close(self) -> None:
        """End the process and a job that is running."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.words.close()


_server: Server | None = None
_lock = threading.Lock()


def _run(scratch: pathlib.Path) -> tuple[int, str]:
    """`Server.run` by the one server of this process, which is started with the first job; one job at a time."""
    global _server
    with _lock:
        while True:
            new = _server is None or not _server.usable
            if new:
                close()
                _server = Server()
            try:
                done = _server.run(scratch)
            except BaseException:  # Ctrl-C: the answer would be taken for the next job's
                close()
                raise
            if done or new:
                return done or (0, "")


@atexit.register
def close() -> None:
    """End the server, if there is one."""
    global _server
    if _server is not None and _server.owner == os.getpid():
        _server.close()
    _server = None


def _numbered(tables: dict) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays under unique keys (shared ones once), and the tables with keys in place of arrays."""
    keys, arrays = {}, {}

    def key_of(array: np.ndarray) -> str:
        key = keys.setdefault(id(array), f"a{len(keys)}")
        arrays[key] = array
        return key

    names = {
        table: {
            endpoint: {name: key_of(array) for name, array in columns.items()} for endpoint, columns in content.items()
        }
        for table, content in tables.items()
    }
    return arrays, names


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
