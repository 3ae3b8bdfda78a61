"""Two sets of images without pairs: `domain_a` and `domain_b`, each with its labels where it has some."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Sequence

import numpy as np

from ..info import Images, Table
from ..slices import split_names
from ..value_range import deepest

DOMAINS = ("domain_a", "domain_b")
_NAME = re.compile(r"(^|\+\s*)([\w.-]+)")


class EmptyClassError(ValueError):
    """A class that is to be a domain has no image in a split."""


def join(first: Table, second: Table) -> Table:
    """One table of two: their images as `domain_a` and `domain_b`, their labels as `label_a` and `label_b`.

    The two need not be equally large, and no image of one belongs to an image of the other.

    Raises:
        ValueError: where one of them comes in sequence.
    """
    images, columns, names, owners = {}, {}, {}, {}
    for field, table in zip(DOMAINS, (first, second), strict=True):
        if table.stream is not None:
            raise ValueError("Two domains need images that are held: give cache='memory' or cache='disk'.")
        images[field] = table.images["image"]
        label = table.columns.get("label")
        if label is not None and label.ndim == 1:
            name = field.replace("domain", "label")
            columns[name], owners[name] = label, field
            names |= {name: table.names["label"]} if "label" in table.names else {}
    identity = hashlib.sha256(f"{first.fingerprint}|{second.fingerprint}".encode()).hexdigest()
    skipped = (*first.skipped, *second.skipped)
    left_out = tuple(dict.fromkeys((*first.left_out, *second.left_out)))
    return Table(
        images,
        columns,
        names,
        identity,
        skipped=skipped,
        left_out=left_out,
        owners=owners,
        value_range=deepest((first.value_range, second.value_range)),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def split_by_class(table: Table, values: Sequence[str], domain_field: str = "label") -> Table:
    """The images of two classes of one set, as two domains.

    Args:
        table: with images that are held or read by index, and the field `domain_field`.
        values: two names of classes, or their numbers.
        domain_field: a field of whole numbers, such as `label` or, of `shapes`, `texture`.

    Raises:
        ValueError: for an unknown field or class, a class without images, or a set that comes in sequence.
    """
    if table.stream is not None:
        raise ValueError("Two domains need images that are held: give cache='memory' or cache='disk'.")
    column = table.columns.get(domain_field)
    if column is None or column.ndim != 1 or column.dtype.kind not in "iu":
        known = [name for name, value in table.columns.items() if value.ndim == 1 and value.dtype.kind in "iu"]
        raise ValueError(
            f"domain_field={domain_field!r} is no field of classes; the source has {', '.join(known) or 'none'}."
        )
    if isinstance(values, str) or len(values) != 2 or values[0] == values[1]:
        raise ValueError(f"domains are two different classes of {domain_field!r}; got {values!r}.")
    parts = []
    for value in values:
        rows = np.flatnonzero(column == _class(value, domain_field, table.names.get(domain_field)))
        if not len(rows):
            raise EmptyClassError(f"domains: {domain_field!r} has no image of the class {value!r} in this split.")
        parts.append(_rows(table, rows, f"{table.fingerprint}|{domain_field}|{value}"))
    return join(*parts)


def has_domains(splits) -> bool:
    """Whether splits are those of two domains, as TFDS's `cycle_gan` sets have them: trainA and trainB."""
    return {"trainA", "trainB"}.issubset(splits)


def joined_splits(splits: dict[str, int], choose: Callable[[int, int], int]) -> dict[str, int]:
    """Split -> images, of two domains' splits: with `max`, {"trainA": 3, "trainB": 5} -> {"train": 5}."""
    found = dict.fromkeys(name[:-1] for name in splits if name[:-1] + "A" in splits and name[:-1] + "B" in splits)
    return {name: choose(splits[name + "A"], splits[name + "B"]) for name in found}


def split_of(split: str, letter: str) -> str:
    """A split of one domain: `split_of("train[:10%]+test", "A")` -> "trainA[:10%]+testA"."""
    wanted = set(split_names(split))
    return _NAME.sub(lambda match: match[0] + letter if match[2] in wanted else match[0], split)


def _class(value: str | int, domain_field: str, names: Sequence[str] | None) -> int:
    if names and str(value) in names:
        return list(names).index(str(value))
    if str(value).isdigit() and (not names or int(value) < len(names)):
        return int(value)
    raise ValueError(
        f"domains: {domain_field!r} has no class {value!r}; known: {', '.join(names or ()) or 'whole numbers'}."
    )


def _rows(table: Table, rows: np.ndarray, identity: str) -> Table:
    images = table.images["image"]
    if images.array is not None:
        chosen = Images(len(rows), images.dtype, array=images.array[rows])
    else:
        chosen = dataclasses.replace(images, count=len(rows), read=lambda index: images.read(int(rows[index])))
    columns = {name: value[rows] for name, value in table.columns.items()}
    return dataclasses.replace(table, images={"image": chosen}, columns=columns, fingerprint=identity)
