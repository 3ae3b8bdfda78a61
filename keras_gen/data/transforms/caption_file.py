"""Captions from a separate file, matched by the file names of the images."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ..info import MappedStream, Table, fingerprint_of
from ..sources.metadata import check_names, read_rows
from .tokenize import CAPTION

FILE_NAME = "file_name"


def add_captions(table: Table, file: str | os.PathLike) -> Table:
    """Returns a table with the field `caption`, from a metadata.csv or .jsonl with `file_name` and `caption`.

    Args:
        table: A table with the field `file_name`, such as that of TFDS's `oxford_flowers102`.
        file: Names and captions; names of images that are not in the table are ignored.

    Raises:
        ValueError: If the table has no file names, the file cannot be read, a name leads out of the folder, or an image
            has no caption (for a stream, when it is read).
    """
    file = pathlib.Path(file).expanduser()
    if FILE_NAME not in table.fields:
        raise ValueError(
            f"Expected a source with `file_name` for captions; received the fields {', '.join(table.fields)}."
        )
    rows = read_rows(file)
    check_names(file, rows, file.parent)
    captions: dict[str, bytes] = {}
    for row in rows:
        text = row.get(CAPTION) or row.get("text")
        if not isinstance(text, str):
            columns = ", ".join(map(str, row))
            raise ValueError(f"{file}: expected a caption for {row[FILE_NAME]!r}; received the columns {columns}.")
        captions.setdefault(str(row[FILE_NAME]), text.encode())
    fingerprint = fingerprint_of([table.fingerprint, sorted(captions.items())])
    if table.stream is None:
        column = np.array([caption_of(name, captions, file) for name in table.columns[FILE_NAME]], object)
        return dataclasses.replace(table, fingerprint=fingerprint, columns={**table.columns, CAPTION: column})

    def add(row: dict) -> dict:
        text = tf.numpy_function(lambda name: caption_of(name, captions, file), [row[FILE_NAME]], tf.string)
        return {**row, CAPTION: tf.ensure_shape(text, [])}

    stream = MappedStream(table.stream, add, {CAPTION: (CAPTION, "text")})
    return dataclasses.replace(table, fingerprint=fingerprint, stream=stream)


def caption_of(name: bytes, captions: Mapping[str, bytes], file: pathlib.Path) -> bytes:
    """Returns the caption of an image.

    Args:
        name: File name of the image.
        captions: File name -> caption.
        file: The file of captions, for messages.

    Raises:
        ValueError: If there is none.
    """
    caption = captions.get(name.decode())
    if caption is None:
        raise ValueError(
            f"Expected a caption of the image {name.decode()!r} in {file}; received {len(captions):,} of other images."
        )
    return caption
