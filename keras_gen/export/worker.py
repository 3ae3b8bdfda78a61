"""The process that converts and checks: `python -m keras_gen.export.worker`.

The converter's calibration and the interpreter can abort a process, so neither runs in the caller's. Importing
TensorFlow takes longer than converting a small model, so this process imports it once and forks a child for each job: a
child that crashes ends alone.

It reads the path of a scratch folder, as JSON, from each line of stdin and writes the status of the job to stdout: 0,
an exit code, or minus a signal. A job reads job.json and arrays.npz in its folder and writes the models beside them,
stage.txt as it goes, and result.json at the end (or error.json). The process ends when stdin is closed, which also
happens when the caller is killed, and takes a running job with it; or when it had nothing to do for `IDLE` seconds.
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
from typing import TextIO

import numpy as np
import tensorflow as tf

from .convert import IN_FLOAT, UnsupportedOperations, calibration_of, convert
from .flatbuffer import operations
from .parity import check_equivalence, errors, tolerance_used
from .runtime import open_interpreter, run_rows

SAVED_MODEL_BATCHES = (1, 5)
MARGIN = 0.5  # of the bound: endpoints are used one after another, and on other examples
IDLE = 300.0  # seconds; the process holds about 250 MB
# TensorFlow starts its threads with its first operation, which only children run. Elsewhere forking is not safe
# (macOS) or not possible (Windows): the process does one job and ends
FORKS = sys.platform == "linux"


def main(scratch: pathlib.Path) -> None:
    """Do the job that lies in a scratch folder."""
    job = json.loads((scratch / "job.json").read_text())
    with np.load(scratch / "arrays.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    tables = {
        table: {
            signature: {name: arrays[key] for name, key in columns.items()} for signature, columns in content.items()
        }
        for table, content in job["tables"].items()
    }
    result, total = {"files": {}}, len(job["files"]) + bool(job["saved_model"])
    for done, (precision, name) in enumerate(job["files"].items()):
        result["files"][precision] = _tflite(scratch, job, precision, name, tables, (done, total))
    if job["saved_model"]:
        _stage(scratch, "comparing the SavedModel with Keras", (total - 1, total))
        result["saved_model"] = _check_saved_model(scratch / job["saved_model"], tables)
    (scratch / "result.json").write_text(json.dumps(result))


def _tflite(
    scratch: pathlib.Path, job: dict, precision: str, name: str, tables: dict, progress: tuple[int, int]
) -> dict:
    """Convert to one precision and compare every endpoint with Keras.

    Where int8 comes near its bound, ops that it rounds badly are left in float. The first file within half of the bound
    is kept, else the first within the bound, else the closest.
    """
    calibration = calibration_of(tables["calibration"], job["batch"])
    start = time.perf_counter()
    made = []
    for float_fallback in IN_FLOAT if precision == "int8" else [()]:
        _stage(scratch, f"converting to {precision}", progress)
        content = convert(str(scratch / job["traced"]), list(tables["inputs"]), precision, calibration, float_fallback)
        (scratch / name).write_bytes(content)
        endpoints = _compared(scratch, job, precision, name, tables, progress)
        made.append((tolerance_used(precision, job["kinds"], endpoints), float_fallback, content, endpoints))
        if made[-1][0] <= MARGIN:
            break
    else:
        made.append(next((each for each in made if each[0] <= 1), min(made, key=lambda each: each[0])))
    _, float_fallback, content, endpoints = made[-1]
    (scratch / name).write_bytes(content)
    found = operations(content)
    present = {op for ops in found.values() for op in ops}
    return {
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "seconds": time.perf_counter() - start,
        "float_fallback": [op for op in float_fallback if op in present],
        "operations": found,
        "endpoints": endpoints,
    }


def _compared(
    scratch: pathlib.Path, job: dict, precision: str, name: str, tables: dict, progress: tuple[int, int]
) -> dict:
    """Signature -> output -> its errors against Keras."""
    interpreter = open_interpreter(scratch / name)
    endpoints = {}
    for signature, inputs in tables["inputs"].items():
        _stage(scratch, f"running {signature} in {precision}", progress)
        received = run_rows(interpreter.get_signature_runner(signature), inputs, job["batch"])
        try:
            endpoints[signature] = errors(tables["expected"][signature], received)
        except ValueError as error:
            raise ValueError(f"{signature} in {precision}: {error}") from error
        if precision == "float32":
            check_equivalence(endpoints[signature], f"{signature} in {precision}")
    return endpoints


def _check_saved_model(folder: pathlib.Path, tables: dict) -> dict:
    """Compare the SavedModel with Keras, for several batch sizes."""
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
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {"file": folder.name, "bytes": size, "batches": batches}


def _stage(scratch: pathlib.Path, text: str, progress: tuple[int, int]) -> None:
    """Say what is being done, after how many files of how many; the caller reports it."""
    (scratch / "stage.txt").write_text(f"{progress[0]} {progress[1]} {text}")


def serve() -> None:
    """Do one job after another until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, which then closes stdin
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever else is printed is no answer
    while True:
        if FORKS and not select.select([sys.stdin], [], [], IDLE)[0]:
            return
        # one line at most is waiting: the caller sends the next one after the answer
        line = sys.stdin.readline()
        if not line:
            return
        scratch = pathlib.Path(json.loads(line))
        print(_in_child(scratch, answers) if FORKS else _do(scratch), file=answers, flush=True)
        if not FORKS:
            return


def _in_child(scratch: pathlib.Path, answers: TextIO) -> int:
    """Do a job in a child process; kill it if stdin is closed meanwhile."""
    ended, alive = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            answers.close()  # so that the caller sees this end if the parent is killed
            status = _do(scratch)
        finally:
            os._exit(status)
    os.close(alive)  # the child has the only other end, which closes with it
    if sys.stdin in select.select([ended, sys.stdin], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _do(scratch: pathlib.Path) -> int:
    """Do a job and return its exit code."""
    try:
        main(scratch)
    except Exception as error:
        traceback.print_exc()
        refused = error.names if isinstance(error, UnsupportedOperations) else None
        (scratch / "error.json").write_text(json.dumps({"message": str(error), "unsupported": refused}))
        return 1
    return 0


if __name__ == "__main__":
    serve()
