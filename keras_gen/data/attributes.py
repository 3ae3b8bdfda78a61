"""The vector `attributes` from chosen fields: exclusive classes as one-hot groups, independent ones as they are."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .info import Table

if TYPE_CHECKING:
    import tensorflow as tf

FIELD = "attributes"


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
        chosen: names of fields and of single attributes.
    """
    sizes, entries = attribute_groups(table.names, chosen)
    make = _Vector(table.names, tuple(chosen), sizes)
    names = {**table.names, FIELD: entries}
    digest = hashlib.sha256(f"{table.fingerprint}|{tuple(chosen)}".encode()).hexdigest()
    if table.stream is not None:
        return dataclasses.replace(table, names=names, fingerprint=digest, stream=_Stream(table.stream, make))
    columns = {**table.columns, FIELD: make(table.columns).numpy()}
    return dataclasses.replace(table, names=names, fingerprint=digest, columns=columns)


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
        row = self.stream.decode(record)
        return {**row, FIELD: self.make(row)}
