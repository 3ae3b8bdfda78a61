"""What an export is asked for, checked before TensorFlow is imported."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from keras_gen.runs import Run

from .config import ExportConfig
from .folder import check_replaceable
from .runtime import MAX_BATCH


class Request(NamedTuple):
    """The arguments of `export` after the checks.

    Attributes:
        formats, precisions: as `parse_formats` and `parse_precisions` give them.
        folder: where the export is written.
    """

    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    folder: pathlib.Path


def check_request(
    run: Run, *, format: str | Sequence[str], quantize: str | Sequence[str], batch: int, out: str | os.PathLike | None
) -> Request:
    """Check what does not need the model; the arguments are those of `export`.

    Raises:
        FileNotFoundError: where the run has no trained model.
        ValueError: for an unknown format or precision, a batch size out of range, a damaged model, or a folder that is
            no export folder.
    """
    if not run.model_file.is_file():
        raise FileNotFoundError(f"{run.path} holds no model.keras: train it first (or go on with --resume)")
    config = ExportConfig(format=format, quantize=quantize, batch=batch, out=out)
    folder = pathlib.Path(out) if out is not None else run.export_folder
    check_replaceable(folder)
    run.check_model_file()
    return Request(tuple(config.format), tuple(config.quantize), folder)


def check_batch(batch: int) -> None:
    """Refuse a batch size of the TFLite files that is out of range."""
    if type(batch) is not int or not 1 <= batch <= MAX_BATCH:
        raise ValueError(f"batch must be an integer from 1 to {MAX_BATCH}; received {batch!r}")
