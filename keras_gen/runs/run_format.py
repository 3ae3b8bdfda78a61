"""The version of the files in a run directory."""

import pathlib
from typing import Any

FORMAT = 2


def format_problem(file: pathlib.Path, received: Any) -> str | None:
    """Returns what is wrong with the format of a file, and what to do about it; None for the current format.

    Args:
        file: the file, for the message.
        received: the value of its entry `format`.
    """
    if received == FORMAT:
        return None
    return f"Expected format {FORMAT} in {file}; received {received!r}. Train again with this version of keras_gen"
