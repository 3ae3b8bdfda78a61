"""Builds the vector `attributes` from selected fields: one-hot groups of classes, and independent binary attributes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..info import MappedStream, Table, fingerprint_of

if TYPE_CHECKING:
    import tensorflow as tf

FIELD = "attributes"
# values of a binary attribute; a split may have only one of them
_BINARY = ({0, 1}, {0}, {1}, {-1, 1}, {-1})


def attribute_groups(
    names: Mapping[str, Sequence[str]], chosen: Sequence[str]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Returns the groups of the vector of selected attributes.

    Args:
        names: Field -> names of its values, as in `describe(source).names`.
        chosen: Fields with classes (`label`, or `color` of `shapes`), each of which is a one-hot group, and entries of
            `attributes` (`Smiling` of `celeb_a`), each of which is independent.

    Returns:
        Size of each group (1 for an independent attribute), and the name of each entry of the vector.

    Raises:
        ValueError: If there are no names, or unknown or repeated ones.

    Example:
        >>> attribute_groups({"label": ("cat", "dog"), "attributes": ("small", "tame")}, ["label", "tame"])
        ((2, 1), ('cat', 'dog', 'tame'))
    """
    if isinstance(chosen, str) or not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"Expected attributes as unique names of fields or of single attributes; received {chosen!r}.")
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
                f"Expected attributes as names among the fields {', '.join(fields) or '(none)'} and the attributes "
                f"{', '.join(names.get(FIELD, ())) or '(none)'}; received {name!r}."
            )
    return tuple(sizes), tuple(entries)


def choose_attributes(table: Table, chosen: Sequence[str]) -> Table:
    """Returns a table whose field `attributes` (float32 [n], zeros and ones) has the selected attributes.

    Args:
        table: The table.
        chosen: Names of fields and of single attributes, see `attribute_groups`. Values -1 and 1 become 0 and 1.

    Raises:
        ValueError: For an attribute with other values, and a label without a name (for a stream, when it is read).
    """
    sizes, entries = attribute_groups(table.names, chosen)
    build = _VectorBuilder(table.names, tuple(chosen), sizes)
    names = {**table.names, FIELD: entries}
    fingerprint = fingerprint_of([table.fingerprint, tuple(chosen)])
    if table.stream is not None:
        stream = MappedStream(table.stream, build.add_checked, {FIELD: (FIELD, "vector")})
        return dataclasses.replace(table, names=names, fingerprint=fingerprint, stream=stream)
    vectors, notes = _zeros_and_ones(table, chosen)
    for name, size in zip(chosen, sizes, strict=True):
        if name in table.names and name != FIELD:
            _check_classes(name, table.columns[name], size)
    columns = {**table.columns, FIELD: build({**table.columns, FIELD: vectors}).numpy()}
    notes = (*table.notes, *notes)
    return dataclasses.replace(table, names=names, fingerprint=fingerprint, columns=columns, notes=notes)


def note_constants(table: Table) -> Table:
    """Returns a table with a note about attributes that are constant and therefore cannot be learned."""
    if table.stream is not None:
        return table
    vectors = table.columns[FIELD]
    constant = [name for name, column in zip(table.names[FIELD], vectors.T, strict=True) if np.ptp(column) == 0]
    if not constant or len(vectors) == 1:
        return table
    note = f"{', '.join(constant)}: the same in all {len(vectors):,} images of this split, so it cannot be learned."
    return dataclasses.replace(table, notes=(*table.notes, note))


def _zeros_and_ones(table: Table, chosen: Sequence[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Returns the vectors of the source with the selected entries converted to 0 and 1, and notes about conversions."""
    known, vectors = table.names.get(FIELD, ()), table.columns.get(FIELD)
    if vectors is None:
        return None, ()
    vectors, signed, invalid = np.array(vectors, np.float32), [], []
    for index, name in enumerate(known):
        if name not in chosen:
            continue
        values = np.unique(vectors[:, index])
        if set(values) not in _BINARY:
            invalid.append(f"{name!r} with {_format_values(values)}")
        elif -1 in values:
            signed.append(name)
            vectors[:, index] = vectors[:, index] > 0
    if invalid:
        valid = [name for name, column in zip(known, vectors.T, strict=True) if set(column) in _BINARY]
        others = f"choose among {', '.join(valid)} (attributes=[...], --view attributes=NAME,...), or " if valid else ""
        raise ValueError(
            f"Expected 0 and 1 (or -1 and 1) in every selected attribute; received {', '.join(invalid)}: "
            f"{others}convert the column to 0 and 1 with a threshold."
        )
    notes = (f"{', '.join(signed)}: attributes of -1 and 1 are read as 0 and 1.",) if signed else ()
    return vectors, notes


def _format_values(values: np.ndarray) -> str:
    if len(values) <= 4:
        return " and ".join(f"{value:g}" for value in values)
    return f"{len(values):,} values from {values.min():g} to {values.max():g}"


def _check_classes(name: str, column: np.ndarray, size: int) -> None:
    low, high = column.min(), column.max()
    if low < 0 or high >= size:
        raise ValueError(
            f"Expected classes from 0 to {size - 1} in {name!r}, which has {size} names; received "
            f"{low} to {high}. Number the classes from 0, or name every class."
        )


@dataclasses.dataclass(frozen=True)
class _VectorBuilder:
    """A function from the fields of one example or of all examples to the vector.

    Attributes:
        names: Field -> names of its values.
        chosen: Names of fields and of single attributes.
        sizes: Size of each group.
    """

    names: Mapping[str, Sequence[str]]
    chosen: tuple[str, ...]
    sizes: tuple[int, ...]

    def __call__(self, fields: Mapping[str, Any]) -> "tf.Tensor":
        import tensorflow as tf

        parts = []
        for name, size in zip(self.chosen, self.sizes, strict=True):
            if name in self.names and name != FIELD:
                parts.append(tf.one_hot(tf.cast(fields[name], tf.int32), size))
            else:
                index = list(self.names[FIELD]).index(name)
                parts.append(tf.cast(fields[FIELD], tf.float32)[..., index : index + 1])
        return tf.concat(parts, axis=-1)

    def add_checked(self, fields: dict) -> dict:
        """Returns the fields of an example with the vector, whose values are checked when the graph runs."""
        import tensorflow as tf

        vector = self(fields)
        if FIELD in fields:  # whether an attribute is -1 and 1 is only known after a pass over all examples
            binary = tf.reduce_all((vector == 0) | (tf.abs(vector) == 1))
            message = (
                f"Expected 0 and 1 (or -1 and 1) in the attributes {', '.join(self.chosen)}; choose others, or load "
                "with cache='disk' to see which"
            )
            with tf.control_dependencies([tf.debugging.Assert(binary, [message, vector])]):
                vector = tf.maximum(vector, 0)
        return {**fields, FIELD: vector}
