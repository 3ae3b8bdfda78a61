"""Checks of an export's arguments that need neither the model nor TensorFlow."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from keras_gen.runs import Run
from keras_gen.runtime.description import MAX_BATCH

from .config import ExportConfig
from .folder import check_replaceable


class Request(NamedTuple):
    """The arguments of `export` after the checks.

    Attributes:
        formats: of "tflite" and "saved_model".
        precisions: of the TFLite files, the preferred one first.
        folder: the export folder.
    """

    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    folder: pathlib.Path


def check_request(
    run: Run, *, format: str | Sequence[str], quantize: str | Sequence[str], batch: int, out: str | os.PathLike | None
) -> Request:
    """Checks the arguments of `export` before the model is loaded.

    Args:
        run: the run to export.
        format: as in `export`.
        quantize: as in `export`.
        batch: as in `export`.
        out: as in `export`.

    Returns:
        the parsed arguments.

    Raises:
        FileNotFoundError: if the run has no trained model.
        ValueError: for an unknown format or precision, a batch size out of range, a damaged model, or a folder that is
            not an export folder.
    """
    if not run.model_file.is_file():
        raise FileNotFoundError(f"{run.path} holds no model.keras: train it first (or continue with --resume)")
    config = ExportConfig(format=format, quantize=quantize, batch=batch, out=out)
    folder = pathlib.Path(out) if out is not None else run.export_folder
    check_replaceable(folder)
    run.check_model_file()
    return Request(tuple(config.format), tuple(config.quantize), folder)


def check_batch(batch: int) -> None:
    """Raises a ValueError if the batch size of the TFLite files is out of range."""
    if type(batch) is not int or not 1 <= batch <= MAX_BATCH:
        raise ValueError(f"Expected batch as an integer from 1 to {MAX_BATCH}; received {batch!r}")
