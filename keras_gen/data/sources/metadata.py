"""Reads metadata.csv and metadata.jsonl: captions, labels and attributes of the images in a folder, by file name."""

import csv
import io
import json
import math
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

from keras_gen.runtime.regular_file import open_regular

FILES = ("metadata.csv", "metadata.jsonl")
# characters in a line of a metadata file; the csv module limits a cell to 131,072
MAX_LINE = 1 << 20
_INTEGER = re.compile(r"-?[0-9]{1,99}")
_FLAGS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}

Row = dict[str, Any]


def find_metadata(folder: pathlib.Path) -> pathlib.Path | None:
    """Returns the metadata file of a folder, or None.

    Raises:
        ValueError: If there are two of them.
    """
    present = [folder / name for name in FILES if os.path.lexists(folder / name)]  # including links that lead nowhere
    if len(present) > 1:
        raise ValueError(f"{folder}: expected one metadata file; received {FILES[0]} and {FILES[1]}; keep one of them.")
    return present[0] if present else None


def read_rows(file: pathlib.Path) -> list[Row]:
    """Reads the rows of a metadata file.

    Args:
        file: metadata.csv (with a header line) or metadata.jsonl (one JSON object per line), in UTF-8.

    Returns:
        A dictionary for each row, with the key `file_name`.

    Raises:
        ValueError: If it is not a regular file, has no rows, no column `file_name` or an invalid line; the message
            names the file and the line.
    """
    try:
        with io.TextIOWrapper(open_regular(file), encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            rows = list((_csv_rows if file.suffix == ".csv" else _json_rows)(_lines(stream)))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    if not rows:
        raise ValueError(
            f"{file}: expected a row for each image, with file_name and caption, label or attributes; received no rows."
        )
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values() and file.suffix == ".csv":
            header = ", ".join(map(str, rows[0]))
            raise ValueError(f"{file}: expected as many entries as in the header ({header}) in row {number}.")
        if not row.get("file_name"):
            columns = ", ".join(map(str, row))
            raise ValueError(f"{file}: expected a `file_name` in row {number}; received the columns {columns}.")
    return rows


def _lines(stream: TextIO) -> Iterator[str]:
    """Yields checked lines. Bytes that are not UTF-8 are decoded as surrogates, so that the message has their line."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has more than {MAX_LINE:,} characters")
        if "\0" in line:
            raise ValueError(f"line {number} has a NUL character; save the file as UTF-8 text")
        if not _is_unicode(line):
            raise ValueError(f"line {number} is not UTF-8; save the file as UTF-8")
        yield line


def _csv_rows(lines: Iterator[str]) -> Iterator[Row]:
    reader = csv.DictReader(lines)
    try:
        yield from reader
    except csv.Error as error:
        line = reader.reader.line_num  # DictReader.line_num is the last line without an error
        raise ValueError(f"line {line}: {error}") from error


def _json_rows(lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is not valid JSON: {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")
        if "\\ud" in line.lower() and not _is_unicode(json.dumps(row, ensure_ascii=False)):
            raise ValueError(f"line {number} has half of a surrogate pair, which is not a character")
        yield row


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_names(file: pathlib.Path, rows: list[Row], root: pathlib.Path) -> None:
    """Checks that no `file_name` leads out of a folder, without following links.

    Args:
        file: The metadata file, to whose folder the names are relative.
        rows: Rows of `read_rows`.
        root: The folder that the names must not leave.

    Raises:
        ValueError: For a name that leads out of it.
    """
    base = os.path.join(os.path.abspath(root), "")
    for row in rows:
        name = str(row["file_name"])
        if "\0" in name or not os.path.abspath(file.parent / name).startswith(base):
            raise ValueError(f"{file}: the file_name {name!r} leads out of {root}; use a path inside of it.")


def read_columns(
    file: pathlib.Path, rows: list[Row], all_rows: list[Row]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Converts metadata to columns.

    `caption` (or `text`) becomes strings; if it is a list, its first entry is used. `label` becomes int32, and names
    are numbered in alphabetical order. Every other column of numbers or booleans becomes an entry of the float32
    vector `attributes`, in the order of the columns; a JSON list `attributes` is that vector. Other strings remain
    strings under their own name.

    Args:
        file: The metadata file, for messages.
        rows: Rows of the split.
        all_rows: Rows of all splits, which determine the type and the names of a column.

    Returns:
        Columns by field, names of the values by field, and the columns that are left out.

    Raises:
        ValueError: If a value is missing or has a different type than the rest of its column.
    """
    columns: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...]] = {}
    attributes: dict[str, list[float | None]] = {}
    left_out = []
    for key in dict.fromkeys(key for row in all_rows for key in row if key != "file_name"):
        missing = [row["file_name"] for row in all_rows if row.get(key) is None or row[key] == ""]
        if missing:
            share = f"{len(missing)} of {len(all_rows)} rows"
            raise ValueError(f"{file}: {share} have no {key!r}, the first is {missing[0]!r}. Fill them in.")
        all_values = [row[key] for row in all_rows]
        values = [row[key] for row in rows]
        if key in ("caption", "text"):
            columns["caption"] = np.array([_caption(file, value) for value in values], object)
        elif key == "label":
            columns["label"], label_names = _labels(file, values, all_values)
            if label_names:
                names["label"] = label_names
        elif key == "attributes" and all(isinstance(value, list) for value in all_values):
            columns["attributes"] = _vectors(file, values, all_values)
        elif all(_number(value) is not None for value in all_values):
            attributes[key] = [_number(value) for value in values]
        elif all(isinstance(value, str) for value in all_values):
            columns[key] = np.array([value.encode() for value in values], object)
        else:
            left_out.append(key)
    if attributes:
        if "attributes" in columns:
            listed = ", ".join(attributes)
            raise ValueError(
                f"{file}: expected a list `attributes` or number columns ({listed}); received both. Remove one."
            )
        columns["attributes"] = np.array(list(attributes.values()), np.float32).T
        names["attributes"] = tuple(attributes)
    return columns, names, tuple(left_out)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        if value.strip().lower() in _FLAGS:
            return _FLAGS[value.strip().lower()]
        try:
            value = float(value)
        except ValueError:
            return None
    try:
        return float(value) if isinstance(value, (bool, int, float)) and math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def _caption(file: pathlib.Path, value: Any) -> bytes:
    if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
        value = value[0]
    if not isinstance(value, str):
        raise ValueError(f"{file}: expected a caption as a text or a list of texts; received {value!r}.")
    return value.encode()


def _labels(file: pathlib.Path, values: list[Any], all_values: list[Any]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    if all(not isinstance(value, (list, dict)) and _INTEGER.fullmatch(str(value)) for value in all_values):
        if wide := [value for value in all_values if not -(2**31) <= int(value) < 2**31]:
            raise ValueError(f"{file}: expected labels as integers of 32 bits; received {wide[0]!r}.")
        return np.array([int(value) for value in values], np.int32), None
    if not all(isinstance(value, (str, bool)) for value in all_values):
        raise ValueError(f"{file}: expected labels that are all integers or all names; received {_kinds(all_values)}.")
    label_names = tuple(sorted({str(value) for value in all_values}))
    number = {name: i for i, name in enumerate(label_names)}
    return np.array([number[str(value)] for value in values], np.int32), label_names


def _vectors(file: pathlib.Path, values: list[Any], all_values: list[Any]) -> np.ndarray:
    lengths = {len(value) for value in all_values}
    if len(lengths) != 1 or any(_number(entry) is None for value in all_values for entry in value):
        received = f"lengths {sorted(lengths)}" if len(lengths) != 1 else "an entry that is not a number"
        raise ValueError(f"{file}: expected `attributes` as lists of numbers of one length; received {received}.")
    return np.array([[_number(entry) for entry in value] for value in values], np.float32)


def _kinds(values: list[Any]) -> str:
    return ", ".join(sorted({f"{type(value).__name__} ({value!r})" for value in values})[:3])
