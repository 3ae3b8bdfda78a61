"""The .tflite files of an export: integrity, agreement with model.json, and execution in batches."""

import hashlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .schema import damaged


def digest_of_file(file: pathlib.Path) -> str:
    """Returns the SHA-256 of a file's content, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_file(file: pathlib.Path, expected: Mapping[str, Any]) -> None:
    """Compares a model with model.json: the interpreter itself can crash on a damaged file.

    Args:
        file: the .tflite file.
        expected: its `bytes` and `sha256` in model.json.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if its size or content is another.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, and model.json names it; copy or export it again")
    size = file.stat().st_size
    if size != expected["bytes"]:
        raise damaged(file, "size", f"{expected['bytes']} bytes, as in model.json", str(size))
    digest = digest_of_file(file)
    if digest != expected["sha256"]:
        raise damaged(file, "SHA-256", f"{expected['sha256']}, as in model.json", digest)


def check_signatures(file: pathlib.Path, signatures: Mapping, expected: Mapping) -> None:
    """Compares the names of signatures and ports in a model with those in model.json.

    Args:
        file: the .tflite file, for the message.
        signatures: from the interpreter: signature -> {"inputs": names, "outputs": names}.
        expected: `signatures` of model.json.

    Raises:
        ValueError: if they differ.
    """
    received = {name: {side: sorted(ports) for side, ports in each.items()} for name, each in signatures.items()}
    named = {name: {side: sorted(each[side]) for side in ("inputs", "outputs")} for name, each in expected.items()}
    for name in sorted({*received, *named}):
        if received.get(name) != named.get(name):
            raise ValueError(
                f"{file} and model.json come from different exports: signature {name}: expected "
                f"{named.get(name, 'none')}; received {received.get(name, 'none')}; copy or export them again"
            )


def check_shapes(file: pathlib.Path, signature: str, runner: Any, expected: Mapping, batch: int) -> None:
    """Compares the shapes of a signature's ports with those in model.json.

    Args:
        file: the .tflite file, for the message.
        signature: name of the signature.
        runner: the interpreter's runner of the signature.
        expected: the signature's `inputs` and `outputs` in model.json.
        batch: the fixed batch size.

    Raises:
        ValueError: if they differ.
    """
    sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
    for side, details in sides.items():
        for name, port in expected[side].items():
            shape, described = details[name]["shape"].tolist(), [batch, *port["shape"]]
            if shape != described:
                raise ValueError(
                    f"{file} and model.json come from different exports: signatures.{signature}.{side}.{name}: "
                    f"expected the shape {described}; received {shape}; copy or export them again"
                )


def open_interpreter(file: pathlib.Path, threads: int | None = None) -> Any:
    """Returns a LiteRT interpreter of a .tflite file.

    Raises:
        ImportError: if ai-edge-litert is not installed.
        ValueError: if the file cannot be read as a TFLite model.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ImportError("ai-edge-litert is not installed: pip install -r requirements.txt") from error
    try:
        return Interpreter(model_path=str(file), num_threads=threads)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{file} cannot be read as a TFLite model: {error}") from error


def run_in_batches(
    runner: Callable[..., Mapping[str, np.ndarray]],
    arrays: Mapping[str, np.ndarray],
    batch: int,
    before_batch: Callable[[], None] | None = None,
) -> dict[str, np.ndarray]:
    """Runs a signature of a fixed batch size on any number of rows; the last batch is padded with its last row.

    Args:
        runner: the interpreter's runner of the signature.
        arrays: input name -> [num, *shape], num >= 1.
        batch: the fixed batch size.
        before_batch: called before each batch; an exception ends the run.

    Returns:
        Output name -> [num, *shape].
    """
    num = len(next(iter(arrays.values())))
    parts = []
    for start in range(0, num, batch):
        if before_batch is not None:
            before_batch()
        rows = np.minimum(np.arange(start, start + batch), num - 1)
        parts.append(runner(**{name: array[rows] for name, array in arrays.items()}))
    return {name: np.concatenate([part[name] for part in parts])[:num] for name in parts[0]}
