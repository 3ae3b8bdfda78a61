"""The process that converts and checks: `python -m keras_gen.export.worker`.

The converter's calibration and the interpreter can abort a process, so neither runs in the caller's. Importing
TensorFlow takes longer than converting a small model, so this process imports it once and forks a child for each job: a
child that crashes ends alone.

The process reads the path of a scratch folder, as JSON, from each line of stdin and writes the status of the job to
stdout: 0, an exit code, or minus a signal. A job reads job.json and arrays.npz in its folder and writes the models next
to them, its progress to stage.txt, and finally result.json (or error.json). The process ends when stdin is closed,
which also happens when the caller is killed, and kills a running job; or after `IDLE` seconds without a job.
"""

import hashlib
import json
import os
import pathlib
import select
import signal
import sys
import time
import traceback
from typing import Any, NamedTuple, TextIO

import numpy as np
import tensorflow as tf

from keras_gen.runtime.model_file import digest_of_file, open_interpreter, run_in_batches

from .convert import FLOAT_FALLBACKS, UnsupportedOperations, convert, representative_dataset
from .flatbuffer import operations
from .parity import check_equivalence, errors, tolerance_used

SAVED_MODEL_BATCHES = (1, 5)
MARGIN = 0.5  # of the error bound: endpoints are used one after another, and on other examples
IDLE = 300.0  # seconds; the process holds about 250 MB
# TensorFlow starts its threads with its first operation, which only children run. Elsewhere forking is not safe
# (macOS) or not possible (Windows): the process runs one job and ends
FORKS = sys.platform == "linux"


class Candidate(NamedTuple):
    """A conversion of one precision.

    Attributes:
        tolerance: fraction of the error bound that its worst image uses.
        float_fallback: operations that compute in float32.
        content: of the .tflite file.
        endpoints: signature -> {output: its errors}.
    """

    tolerance: float
    float_fallback: tuple[str, ...]
    content: bytes
    endpoints: dict[str, dict[str, dict[str, float]]]


def main(scratch: pathlib.Path) -> None:
    """Runs the job in a scratch folder."""
    job = json.loads((scratch / "job.json").read_text())
    with np.load(scratch / "arrays.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    tables = {
        table: {
            signature: {name: arrays[key] for name, key in columns.items()} for signature, columns in content.items()
        }
        for table, content in job["tables"].items()
    }
    result: dict[str, Any] = {"files": {}}
    total = len(job["files"]) + bool(job["saved_model"])
    for done, (precision, name) in enumerate(job["files"].items()):
        result["files"][precision] = _tflite(scratch, job, precision, name, tables, (done, total))
    if job["saved_model"]:
        _write_stage(scratch, "comparing the SavedModel with Keras", (total - 1, total))
        result["saved_model"] = _check_saved_model(scratch / job["saved_model"], tables)
    (scratch / "result.json").write_text(json.dumps(result))


def _tflite(
    scratch: pathlib.Path, job: dict, precision: str, name: str, tables: dict, progress: tuple[int, int]
) -> dict[str, Any]:
    """Converts to one precision and compares every endpoint with Keras.

    int8 is tried with more and more operations in float32. The first file within half of the bound is used, else the
    first within the bound, else the closest.
    """
    calibration = representative_dataset(tables["calibration"], job["batch"])
    start = time.perf_counter()
    candidates: list[Candidate] = []
    for float_fallback in FLOAT_FALLBACKS if precision == "int8" else [()]:
        _write_stage(scratch, f"converting to {precision}", progress)
        content = convert(str(scratch / job["traced"]), list(tables["inputs"]), precision, calibration, float_fallback)
        (scratch / name).write_bytes(content)
        endpoints = _compare(scratch, job, precision, name, tables, progress)
        tolerance = tolerance_used(precision, job["kinds"], endpoints)
        candidates.append(Candidate(tolerance, float_fallback, content, endpoints))
        if tolerance <= MARGIN:
            break
    closest = min(candidates, key=lambda each: each.tolerance)
    within = [each for limit in (MARGIN, 1) for each in candidates if each.tolerance <= limit]
    chosen = within[0] if within else closest
    (scratch / name).write_bytes(chosen.content)
    counts = operations(chosen.content)
    present = {name for names in counts.values() for name in names}
    return {
        "file": name,
        "bytes": len(chosen.content),
        "sha256": hashlib.sha256(chosen.content).hexdigest(),
        "seconds": time.perf_counter() - start,
        "float_fallback": [name for name in chosen.float_fallback if name in present],
        "operations": counts,
        "endpoints": chosen.endpoints,
    }


def _compare(
    scratch: pathlib.Path, job: dict, precision: str, name: str, tables: dict, progress: tuple[int, int]
) -> dict[str, dict[str, dict[str, float]]]:
    """Returns signature -> {output: its errors against Keras}."""
    interpreter = open_interpreter(scratch / name)
    endpoints = {}
    for signature, inputs in tables["inputs"].items():
        _write_stage(scratch, f"running {signature} in {precision}", progress)
        received = run_in_batches(interpreter.get_signature_runner(signature), inputs, job["batch"])
        try:
            endpoints[signature] = errors(tables["expected"][signature], received)
        except ValueError as error:
            raise ValueError(f"{signature} in {precision}: {error}") from error
        if precision == "float32":
            check_equivalence(endpoints[signature], f"{signature} in {precision}")
    return endpoints


def _check_saved_model(folder: pathlib.Path, tables: dict) -> dict[str, Any]:
    """Compares the SavedModel with Keras, for several batch sizes."""
    loaded = tf.saved_model.load(str(folder))
    batches = {}
    for batch in SAVED_MODEL_BATCHES:
        endpoints = {}
        for signature, inputs in tables["inputs"].items():
            rows = len(next(iter(inputs.values()))) // batch * batch
            function = loaded.signatures[signature]
            parts = [
                function(**{name: tf.constant(array[start : start + batch]) for name, array in inputs.items()})
                for start in range(0, rows, batch)
            ]
            received = {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}
            expected = {name: array[:rows] for name, array in tables["expected"][signature].items()}
            endpoints[signature] = errors(expected, received)
            check_equivalence(endpoints[signature], f"{signature} in the SavedModel")
        batches[str(batch)] = endpoints
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        "file": folder.name,
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": {file.relative_to(folder).as_posix(): digest_of_file(file) for file in files},
        "batches": batches,
    }


def _write_stage(scratch: pathlib.Path, text: str, progress: tuple[int, int]) -> None:
    """Writes the current stage, and how many of the files are done, for the caller to report."""
    (scratch / "stage.txt").write_text(f"{progress[0]} {progress[1]} {text}")


def serve() -> None:
    """Runs one job after another until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, which then closes stdin
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # anything else that is printed is not an answer
    while True:
        if FORKS and not select.select([sys.stdin], [], [], IDLE)[0]:
            return
        # at most one line is waiting: the caller sends the next one after the answer
        line = sys.stdin.readline()
        if not line:
            return
        scratch = pathlib.Path(json.loads(line))
        print(_run_in_child(scratch, answers) if FORKS else _run_job(scratch), file=answers, flush=True)
        if not FORKS:
            return


def _run_in_child(scratch: pathlib.Path, answers: TextIO) -> int:
    """Runs a job in a child process and kills it if stdin is closed meanwhile."""
    ended, alive = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            answers.close()  # so that the caller sees the end of file if the parent is killed
            status = _run_job(scratch)
        finally:
            os._exit(status)
    os.close(alive)  # the child has the only other end, which closes with it
    if sys.stdin in select.select([ended, sys.stdin], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run_job(scratch: pathlib.Path) -> int:
    """Runs a job and returns its exit code."""
    try:
        main(scratch)
    except Exception as error:
        traceback.print_exc()
        unsupported = error.names if isinstance(error, UnsupportedOperations) else None
        (scratch / "error.json").write_text(json.dumps({"message": str(error), "unsupported": unsupported}))
        return 1
    return 0


if __name__ == "__main__":
    serve()
