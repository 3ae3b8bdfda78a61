"""The vector `attributes` from chosen fields: exclusive classes as one-hot groups, independent ones as they are."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..info import Table

if TYPE_CHECKING:
    import tensorflow as tf

FIELD = "attributes"
# the values of an attribute that tells yes and no; a part of a set may hold one of them alone
_BINARY = ({0, 1}, {0}, {1}, {-1, 1}, {-1})


def attribute_groups(
    names: Mapping[str, Sequence[str]], chosen: Sequence[str]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """What a vector of chosen attributes is made of.

    Args:
        names: field -> names of its values, as `describe(source).names` has them.
        chosen: fields with classes (`label`, or `color` of `shapes`), each one exclusive group, and entries of
            `attributes` (`Smiling` of `celeb_a`), each independent.

    Returns:
        Size of each group (1 for an independent attribute), and the name of each entry of the vector.

    Raises:
        ValueError: for an unknown name, none at all, or one twice.

    Example:
        >>> attribute_groups({"label": ("cat", "dog"), "attributes": ("small", "tame")}, ["label", "tame"])
        ((2, 1), ('cat', 'dog', 'tame'))
    """
    if isinstance(chosen, str) or not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"attributes are different names of fields or of single attributes; got {chosen!r}.")
    sizes, entries = [], []
    for name in chosen:
        if name != FIELD and name in names:
            sizes.append(len(names[name]))
            entries += names[name]
        elif name in names.get(FIELD, ()):
            sizes.append(1)
            entries.append(name)
        else:
            fields = [field for field in names if field != FIELD]
            raise ValueError(
                f"attributes: there is no {name!r}; known are the fields {', '.join(fields) or '(none)'} and the "
                f"attributes {', '.join(names.get(FIELD, ())) or '(none)'}."
            )
    return tuple(sizes), tuple(entries)


def choose_attributes(table: Table, chosen: Sequence[str]) -> Table:
    """A table whose `attributes` (float32 [n], zeros and ones) are those that were chosen, see `attribute_groups`.

    Args:
        table: held, read by index, or a stream.
        chosen: names of fields and of single attributes. What is -1 and 1 becomes 0 and 1.

    Raises:
        ValueError: for an attribute with other values, and a label without a name (of a stream found when it is read).
    """
    sizes, entries = attribute_groups(table.names, chosen)
    make = _Vector(table.names, tuple(chosen), sizes)
    names = {**table.names, FIELD: entries}
    digest = hashlib.sha256(f"{table.fingerprint}|{tuple(chosen)}".encode()).hexdigest()
    if table.stream is not None:
        return dataclasses.replace(table, names=names, fingerprint=digest, stream=_Stream(table.stream, make))
    vectors, notes = _zeros_and_ones(table, chosen)
    for name, size in zip(chosen, sizes, strict=True):
        if name in table.names and name != FIELD:
            _check_classes(name, table.columns[name], size)
    columns = {**table.columns, FIELD: make({**table.columns, FIELD: vectors}).numpy()}
    notes = (*table.notes, *notes)
    return dataclasses.replace(table, names=names, fingerprint=digest, columns=columns, notes=notes)


def note_constants(table: Table) -> Table:
    """A table that notes which of its attributes have one value in all examples, of which nothing can be learned."""
    if table.stream is not None:
        return table
    vectors = table.columns[FIELD]
    constant = [name for name, column in zip(table.names[FIELD], vectors.T, strict=True) if np.ptp(column) == 0]
    if not constant or len(vectors) == 1:
        return table
    said = f"{', '.join(constant)}: the same in all {len(vectors):,} images of this split, so it cannot be learned."
    return dataclasses.replace(table, notes=(*table.notes, said))


def _zeros_and_ones(table: Table, chosen: Sequence[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The vectors of the source with the chosen entries as 0 and 1, and what was converted, in words."""
    known, vectors = table.names.get(FIELD, ()), table.columns.get(FIELD)
    if vectors is None:
        return None, ()
    vectors, signed, wrong = np.array(vectors, np.float32), [], []
    for index, name in enumerate(known):
        if name not in chosen:
            continue
        found = np.unique(vectors[:, index])
        if set(found) not in _BINARY:
            wrong.append(f"{name!r} with {_values(found)}")
        elif -1 in found:
            signed.append(name)
            vectors[:, index] = vectors[:, index] > 0
    if wrong:
        fine = [name for name, column in zip(known, vectors.T, strict=True) if set(column) in _BINARY]
        others = f"choose among {', '.join(fine)} (attributes=[...], --view attributes=NAME,...), or " if fine else ""
        raise ValueError(
            f"attributes: expected 0 and 1 (or -1 and 1) in every chosen attribute; received {', '.join(wrong)}: "
            f"{others}make 0 and 1 of the column, by a threshold."
        )
    said = (f"{', '.join(signed)}: attributes of -1 and 1 are read as 0 and 1.",) if signed else ()
    return vectors, said


def _values(found: np.ndarray) -> str:
    if len(found) <= 4:
        return " and ".join(f"{value:g}" for value in found)
    return f"{len(found):,} values from {found.min():g} to {found.max():g}"


def _check_classes(name: str, column: np.ndarray, size: int) -> None:
    low, high = column.min(), column.max()
    if low < 0 or high >= size:
        raise ValueError(
            f"attributes: expected classes from 0 to {size - 1} in {name!r}, which has {size} names; received "
            f"{low} to {high}. Number the classes from 0, or name every class."
        )


@dataclasses.dataclass(frozen=True)
class _Vector:
    """Fields -> the vector, for one example or for all."""

    names: Mapping[str, Sequence[str]]
    chosen: tuple[str, ...]
    sizes: tuple[int, ...]

    def __call__(self, fields) -> "tf.Tensor":
        import tensorflow as tf

        parts = []
        for name, size in zip(self.chosen, self.sizes, strict=True):
            if name in self.names and name != FIELD:
                parts.append(tf.one_hot(tf.cast(fields[name], tf.int32), size))
            else:
                index = list(self.names[FIELD]).index(name)
                parts.append(tf.cast(fields[FIELD], tf.float32)[..., index : index + 1])
        return tf.concat(parts, axis=-1)


class _Stream:
    """A stream whose examples have the chosen attributes."""

    def __init__(self, stream, make: _Vector):
        self.stream, self.make = stream, make
        self.mapping = {**stream.mapping, FIELD: (FIELD, "vector")}

    def __call__(self, seeds):
        return self.stream(seeds)

    def decode(self, record) -> "dict[str, tf.Tensor]":
        import tensorflow as tf

        row = self.stream.decode(record)
        vector = self.make(row)
        if FIELD in row:  # a pass over all examples would tell which attributes are -1 and 1
            names = f"attributes {', '.join(self.make.chosen)}"
            whole = tf.reduce_all((vector == 0) | (tf.abs(vector) == 1))
            message = f"{names}: expected 0 and 1 (or -1 and 1); choose others, or load with cache='disk' to see which"
            with tf.control_dependencies([tf.debugging.Assert(whole, [message, vector])]):
                vector = tf.maximum(vector, 0)
        return {**row, FIELD: vector}
