"""metadata.csv and metadata.jsonl beside images: captions, labels and attributes by file name."""

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

from keras_gen.archives import open_regular

FILES = ("metadata.csv", "metadata.jsonl")
# characters in a line of a metadata file; the csv module limits a cell to 131,072
MAX_LINE = 1 << 20
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,99}")
_FLAGS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def find_metadata(folder: pathlib.Path) -> pathlib.Path | None:
    """Return the folder's metadata file, or None; two of them are an error."""
    found = [folder / name for name in FILES if os.path.lexists(folder / name)]  # whatever it is: it is not ignored
    if len(found) > 1:
        raise ValueError(f"{folder} holds both {FILES[0]} and {FILES[1]}; keep one of them.")
    return found[0] if found else None


def read_rows(file: pathlib.Path) -> list[dict[str, Any]]:
    """Read the rows of a metadata file.

    Args:
        file: metadata.csv (with a header line) or metadata.jsonl (one JSON object per line), UTF-8.

    Returns:
        Dictionaries that all have the key `file_name`.

    Raises:
        ValueError: no regular file, no rows, no column `file_name`, a line that cannot be read; the message names the
            file and the line.
    """
    try:
        with io.TextIOWrapper(open_regular(file), encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            rows = list((_csv_rows if file.suffix == ".csv" else _json_rows)(_lines(stream)))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    if not rows:
        raise ValueError(f"{file} has no rows. Each names an image in `file_name`, with caption, label or attributes.")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values() and file.suffix == ".csv":
            header = ", ".join(map(str, rows[0]))
            raise ValueError(f"{file}: row {number} has not as many entries as the header ({header}).")
        if not row.get("file_name"):
            raise ValueError(f"{file}: row {number} has no `file_name`; its columns are {', '.join(map(str, row))}.")
    return rows


def _lines(stream: TextIO) -> Iterator[str]:
    """The lines of a text, each checked; bytes that are not UTF-8 come as surrogates, so that their line is known."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has more than {MAX_LINE:,} characters")
        if "\0" in line:
            raise ValueError(f"line {number} has a NUL character; expected a text in UTF-8")
        if not _is_unicode(line):
            raise ValueError(f"line {number} is not UTF-8; save the file as UTF-8")
        yield line


def _csv_rows(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(lines)
    try:
        yield from reader
    except csv.Error as error:
        line = reader.reader.line_num  # that of DictReader is the last line without an error
        raise ValueError(f"line {line}: {error}") from error


def _json_rows(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is no valid JSON: {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is no JSON object")
        if "\\ud" in line.lower() and not _is_unicode(json.dumps(row, ensure_ascii=False)):
            raise ValueError(f"line {number} has half of a surrogate pair, which is no character")
        yield row


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_names(file: pathlib.Path, rows: list[dict[str, Any]], root: pathlib.Path) -> None:
    """Check that no `file_name` leads out of a folder; where the links of the folder lead is not asked.

    Args:
        file: the metadata file, in whose folder the names begin.
        rows: of `read_rows`.
        root: the folder that they may not leave.

    Raises:
        ValueError: naming the file and the name.
    """
    base = os.path.join(os.path.abspath(root), "")
    for row in rows:
        name = str(row["file_name"])
        if "\0" in name or not os.path.abspath(file.parent / name).startswith(base):
            raise ValueError(f"{file}: the file_name {name!r} leads out of {root}; expected a path inside of it.")


def read_columns(
    file: pathlib.Path, rows: list[dict[str, Any]], all_rows: list[dict[str, Any]]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Turn metadata into columns.

    `caption` (or `text`) becomes strings, of a list of captions the first; `label` becomes int32, names being numbered
    in alphabetical order; every other column of numbers or of true and false becomes an entry of the float32 vector
    `attributes`, in the order of the columns (a JSON list `attributes` is taken as that vector); other strings stay
    strings under their own name.

    Args:
        file: for messages.
        rows: of the split that is read.
        all_rows: of all splits, which decide the type and the names of a column.

    Returns:
        Columns by field, value names by field, columns that are left out.

    Raises:
        ValueError: a value is missing or of another kind than the rest of its column.
    """
    columns, names, left_out, attributes = {}, {}, [], {}
    for key in dict.fromkeys(key for row in all_rows for key in row if key != "file_name"):
        missing = [row["file_name"] for row in all_rows if row.get(key) is None or row[key] == ""]
        if missing:
            share = f"{len(missing)} of {len(all_rows)} rows"
            raise ValueError(f"{file}: {share} have no {key!r}, the first is {missing[0]!r}.")
        values = [row[key] for row in all_rows]
        mine = [row[key] for row in rows]
        numbers = [_number(value) for value in values]
        if key in ("caption", "text"):
            columns["caption"] = np.array([_caption(file, value) for value in mine], object)
        elif key == "label":
            columns["label"], label_names = _labels(file, mine, values)
            if label_names:
                names["label"] = label_names
        elif key == "attributes" and all(isinstance(value, list) for value in values):
            columns["attributes"] = _vectors(file, mine, values)
        elif all(number is not None for number in numbers):
            attributes[key] = [_number(value) for value in mine]
        elif all(isinstance(value, str) for value in values):
            columns[key] = np.array([value.encode() for value in mine], object)
        else:
            left_out.append(key)
    if attributes:
        if "attributes" in columns:
            raise ValueError(f"{file} has a list `attributes` and number columns ({', '.join(attributes)}); keep one.")
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
    except OverflowError:  # a whole number of hundreds of digits
        return None


def _caption(file: pathlib.Path, value: Any) -> bytes:
    if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
        value = value[0]
    if not isinstance(value, str):
        raise ValueError(f"{file}: a caption is a text or a list of texts; got {value!r}.")
    return value.encode()


def _labels(file: pathlib.Path, mine: list[Any], values: list[Any]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    if all(not isinstance(value, (list, dict)) and _WHOLE_NUMBER.fullmatch(str(value)) for value in values):
        if wide := [value for value in values if not -(2**31) <= int(value) < 2**31]:
            raise ValueError(f"{file}: labels are whole numbers of 32 bits; found {wide[0]!r}.")
        return np.array([int(value) for value in mine], np.int32), None
    if not all(isinstance(value, (str, bool)) for value in values):
        raise ValueError(f"{file}: labels are all whole numbers or all names; found {_kinds(values)}.")
    label_names = tuple(sorted({str(value) for value in values}))
    number = {name: i for i, name in enumerate(label_names)}
    return np.array([number[str(value)] for value in mine], np.int32), label_names


def _vectors(file: pathlib.Path, mine: list[Any], values: list[Any]) -> np.ndarray:
    lengths = {len(value) for value in values}
    if len(lengths) != 1 or any(_number(entry) is None for value in values for entry in value):
        found = f"lengths {sorted(lengths)}" if len(lengths) != 1 else "an entry that is no number"
        raise ValueError(f"{file}: `attributes` are lists of numbers, all of one length; found {found}.")
    return np.array([[_number(entry) for entry in value] for value in mine], np.float32)


def _kinds(values: list[Any]) -> str:
    return ", ".join(sorted({f"{type(value).__name__} ({value!r})" for value in values})[:3])
