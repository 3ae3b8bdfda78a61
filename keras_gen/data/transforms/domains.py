"""Two unpaired domains: the image fields `domain_a` and `domain_b`, each with its labels if it has any."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..info import Table, fingerprint_of
from ..slices import split_names
from ..value_range import deepest

DOMAINS = ("domain_a", "domain_b")
_NAME = re.compile(r"(^|\+\s*)([\w.-]+)")


class EmptyClassError(ValueError):
    """A class that is used as a domain has no image in a split."""


def join_domains(first: Table, second: Table) -> Table:
    """Combines two tables: their images become `domain_a` and `domain_b`, their labels `label_a` and `label_b`.

    The tables may have different sizes, since their images are unpaired.

    Args:
        first: The table of domain A.
        second: The table of domain B.

    Raises:
        ValueError: If one of them is a stream.
    """
    images, columns, names, owners = {}, {}, {}, {}
    for field, table in zip(DOMAINS, (first, second), strict=True):
        table.require_random_access("Two domains")
        images[field] = table.images["image"]
        label = table.columns.get("label")
        if label is not None and label.ndim == 1:
            name = field.replace("domain", "label")
            columns[name], owners[name] = label, field
            names |= {name: table.names["label"]} if "label" in table.names else {}
    return Table(
        images,
        columns,
        names,
        fingerprint_of([first.fingerprint, second.fingerprint]),
        skipped=(*first.skipped, *second.skipped),
        left_out=tuple(dict.fromkeys((*first.left_out, *second.left_out))),
        owners=owners,
        value_range=deepest((first.value_range, second.value_range)),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def split_by_class(table: Table, values: Sequence[str], domain_field: str = "label") -> Table:
    """Returns the images of two classes as two domains.

    Args:
        table: A table with random access and the field `domain_field`.
        values: Names or numbers of two classes.
        domain_field: A field of integers, such as `label`, or `texture` of `shapes`.

    Raises:
        ValueError: For an unknown field or class, a class without images, or a stream.
    """
    table.require_random_access("Two domains")
    column = table.columns.get(domain_field)
    if column is None or column.ndim != 1 or column.dtype.kind not in "iu":
        known = [name for name, value in table.columns.items() if value.ndim == 1 and value.dtype.kind in "iu"]
        raise ValueError(
            f"Expected domain_field as a field of classes, one of {', '.join(known) or '(none)'}; received "
            f"{domain_field!r}."
        )
    if isinstance(values, str) or len(values) != 2 or values[0] == values[1]:
        raise ValueError(f"Expected domains as two different classes of {domain_field!r}; received {values!r}.")
    parts = []
    for value in values:
        rows = np.flatnonzero(column == _class_index(value, domain_field, table.names.get(domain_field)))
        if not len(rows):
            raise EmptyClassError(f"domains: {domain_field!r} has no image of the class {value!r} in this split.")
        parts.append(_select(table, rows, f"{table.fingerprint}|{domain_field}|{value}"))
    return join_domains(*parts)


def has_domains(splits: Iterable[str]) -> bool:
    """Returns whether splits include trainA and trainB, as in TFDS's `cycle_gan` datasets."""
    return {"trainA", "trainB"}.issubset(splits)


def joined_splits(splits: dict[str, int], choose: Callable[[int, int], int]) -> dict[str, int]:
    """Combines the splits of two domains.

    Args:
        splits: Split of one domain, such as trainA -> number of images.
        choose: `max` or `min`.

    Returns:
        Split -> number of images: with `max`, {"trainA": 3, "trainB": 5} -> {"train": 5}.
    """
    names = dict.fromkeys(name[:-1] for name in splits if name[:-1] + "A" in splits and name[:-1] + "B" in splits)
    return {name: choose(splits[name + "A"], splits[name + "B"]) for name in names}


def split_of(split: str, letter: str) -> str:
    """Returns the split of one domain: `split_of("train[:10%]+test", "A")` -> "trainA[:10%]+testA"."""
    names = set(split_names(split))
    return _NAME.sub(lambda match: match[0] + letter if match[2] in names else match[0], split)


def _class_index(value: str | int, domain_field: str, names: Sequence[str] | None) -> int:
    if names and str(value) in names:
        return list(names).index(str(value))
    if str(value).isdigit() and (not names or int(value) < len(names)):
        return int(value)
    expected = ", ".join(names or ()) or "integers"
    raise ValueError(f"Expected domains as classes of {domain_field!r} among {expected}; received {value!r}.")


def _select(table: Table, rows: np.ndarray, fingerprint: str) -> Table:
    columns = {name: value[rows] for name, value in table.columns.items()}
    images = {"image": table.images["image"].select(rows)}
    return dataclasses.replace(table, images=images, columns=columns, fingerprint=fingerprint)
