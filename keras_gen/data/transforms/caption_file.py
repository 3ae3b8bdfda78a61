"""Captions from a file of their own, for sets that come without: by the name of each image."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ..info import Table
from ..sources.metadata import check_names, read_rows
from .tokenize import CAPTION

FILE_NAME = "file_name"


def add_captions(table: Table, file: str | os.PathLike) -> Table:
    """A table with the field `caption`, read from a metadata.csv or .jsonl with `file_name` and `caption`.

    Args:
        table: with the field `file_name`, as TFDS's `oxford_flowers102` has it; held, or a stream.
        file: names and captions; names of images that the table does not have do no harm.

    Raises:
        ValueError: where the table has no file names, the file cannot be read, a name leads out of the folder, or
            an image has no caption (of a stream found when it is read).
    """
    file = pathlib.Path(file).expanduser()
    fields = list(table.columns) if table.stream is None else list(table.stream.mapping)
    if FILE_NAME not in fields:
        raise ValueError(f"captions are found by `file_name`, and the source has {', '.join(fields) or 'no fields'}.")
    known, rows = {}, read_rows(file)
    check_names(file, rows, file.parent)
    for row in rows:
        text = row.get(CAPTION) or row.get("text")
        if not isinstance(text, str):
            raise ValueError(f"{file}: {row[FILE_NAME]!r} has no caption; the columns are {', '.join(map(str, row))}.")
        known.setdefault(str(row[FILE_NAME]), text.encode())
    digest = hashlib.sha256(f"{table.fingerprint}|{sorted(known.items())}".encode()).hexdigest()
    if table.stream is not None:
        return dataclasses.replace(table, fingerprint=digest, stream=_Captioned(table.stream, known, file))
    captions = np.array([caption_of(name, known, file) for name in table.columns[FILE_NAME]], object)
    return dataclasses.replace(table, fingerprint=digest, columns={**table.columns, CAPTION: captions})


def caption_of(name: bytes, known: Mapping[str, bytes], file: pathlib.Path) -> bytes:
    """The caption of an image.

    Raises:
        ValueError: where there is none.
    """
    found = known.get(name.decode())
    if found is None:
        raise ValueError(f"{file} has no caption of the image {name.decode()!r} (it has {len(known):,} others).")
    return found


class _Captioned:
    """A stream whose examples have captions."""

    def __init__(self, stream, known: Mapping[str, bytes], file: pathlib.Path):
        self.stream, self.known, self.file = stream, known, file
        self.mapping = {**stream.mapping, CAPTION: (CAPTION, "text")}

    def __call__(self, seeds: tf.Tensor | None) -> tf.data.Dataset:
        return self.stream(seeds)

    def decode(self, record: tf.Tensor) -> dict[str, tf.Tensor]:
        row = self.stream.decode(record)
        text = tf.numpy_function(lambda name: caption_of(name, self.known, self.file), [row[FILE_NAME]], tf.string)
        return {**row, CAPTION: tf.ensure_shape(text, [])}
