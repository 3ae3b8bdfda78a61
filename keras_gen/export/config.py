"""`ExportConfig`: the options of an export, each declared once for Python and the command line.

This module imports neither numpy nor TensorFlow, so that `keras-gen export --help` answers at once.
"""

import dataclasses
import os
from collections.abc import Sequence

from keras_gen import options
from keras_gen.options import Text, integer, option

from .precisions import parse_formats, parse_precisions


def _check_batch(name: str, value: int) -> int:
    from .request import check_batch

    check_batch(value)
    return value


def _names(flag: str, text: str) -> str:
    """Returns the text as it is: the checks split it at the commas."""
    return text


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """The options of `keras_gen.export.export` and `keras-gen export`, validated.

    Attributes:
        format: see `keras_gen.export.export`, which documents every option.

    Raises:
        ValueError: for a value that does not fit.

    Example:
        >>> ExportConfig(quantize="int8,none").quantize
        ('int8', 'float32')
    """

    format: str | Sequence[str] = option(
        "tflite",
        "Formats: tflite, saved_model, or both separated by a comma",
        check=lambda name, value: parse_formats(value),
        text=Text(_names, default="tflite"),
    )
    quantize: str | Sequence[str] = option(
        ("int8",),
        "Precisions of the TFLite files, separated by commas: none (float32), float16, dynamic, int8; the first is "
        "model.tflite",
        check=lambda name, value: parse_precisions(value),
        text=Text(_names, default="int8"),
    )
    batch: int = option(1, "Fixed batch size of the TFLite files", check=_check_batch)
    out: str | os.PathLike | None = option(None, "Folder of the export; default RUN/export", type=str | None)
    seed: int = option(
        0, "Seed of the noise in calibration and comparison, and of the choice of images", check=integer(0)
    )
    overwrite: bool = option(False, "Replace an export of other weights in --out")

    __post_init__ = options.validate
