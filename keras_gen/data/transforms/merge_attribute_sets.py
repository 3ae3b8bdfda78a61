"""Sets whose labels differ as one: images of all, the attributes that each knows, and the set that each is of."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ..info import Images, Table
from ..value_range import deepest
from .attributes import FIELD, attribute_groups, choose_attributes

SET = "dataset"


def united_groups(
    names: Sequence[Mapping[str, Sequence[str]]], chosen: Sequence[str]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """What a vector of attributes of several sets is made of; see `attribute_groups` for one.

    A name is looked up in each set, and is a group of every set that has it: `label` of two folders is two groups.

    Args:
        names: of each set, field -> names of its values.
        chosen: names of fields and of single attributes.

    Returns:
        Size of each group, the set that knows it, and the name of each entry of the vector: those of the first set
        first.

    Raises:
        ValueError: for a name that no set has, a set that has none of them, or one entry in two sets.

    Example:
        >>> united_groups([{"label": ("cat", "dog")}, {"attributes": ("tame",)}], ["label", "tame"])
        ((2, 1), (0, 1), ('cat', 'dog', 'tame'))
    """
    sizes, sets, entries = [], [], []
    for index, own in enumerate(chosen_of_each(names, chosen)):
        found, called = attribute_groups(names[index], own)
        sizes, sets, entries = [*sizes, *found], [*sets, *[index] * len(found)], [*entries, *called]
    if twice := sorted({entry for entry in entries if entries.count(entry) > 1}):
        raise ValueError(f"attributes: {', '.join(twice)} is an entry of both sets; rename it in one of them.")
    return tuple(sizes), tuple(sets), tuple(entries)


def chosen_of_each(names: Sequence[Mapping[str, Sequence[str]]], chosen: Sequence[str]) -> list[list[str]]:
    """Those of the chosen names that each set has; the arguments and errors are those of `united_groups`."""
    every = {FIELD: tuple(entry for own in names for entry in own.get(FIELD, ()))}
    attribute_groups({field: () for own in names for field in own} | every, chosen)  # names that no set has
    parts = [[name for name in chosen if _has(own, name)] for own in names]
    for index, part in enumerate(parts):
        if not part:
            raise ValueError(f"attributes: the set number {index + 1} has none of {', '.join(chosen)}.")
    return parts


def unite(tables: Sequence[Table], chosen: Sequence[str]) -> Table:
    """One table of several, with the fields `image`, `attributes` (0 where a set does not know them) and `dataset`.

    Args:
        tables: with images of one shape that are held or read by index.
        chosen: names of fields and of single attributes.

    Raises:
        ValueError: as `united_groups`, and where a set comes in sequence.
    """
    if any(table.stream is not None for table in tables):
        raise ValueError("Sets are united where their images are held: give cache='memory' or cache='disk'.")
    names = [table.names for table in tables]
    entries = united_groups(names, chosen)[2]
    parts = [choose_attributes(table, own) for table, own in zip(tables, chosen_of_each(names, chosen), strict=True)]
    vectors, before = [], 0
    for part in parts:
        vector = part.columns[FIELD]
        vectors.append(np.pad(vector, [[0, 0], [before, len(entries) - before - vector.shape[1]]]))
        before += vector.shape[1]
    counts = [len(vector) for vector in vectors]
    return Table(
        {"image": _concatenated([table.images["image"] for table in tables])},
        {FIELD: np.concatenate(vectors), SET: np.repeat(np.arange(len(tables), dtype=np.int32), counts)},
        {FIELD: entries},
        hashlib.sha256("|".join(part.fingerprint for part in parts).encode()).hexdigest(),
        skipped=sum((table.skipped for table in tables), ()),
        left_out=tuple(dict.fromkeys(name for table in tables for name in table.left_out)),
        value_range=deepest([table.value_range for table in tables]),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _has(names: Mapping[str, Sequence[str]], name: str) -> bool:
    return (name != FIELD and name in names) or name in names.get(FIELD, ())


def _concatenated(parts: Sequence[Images]) -> Images:
    count, same = sum(part.count for part in parts), len({part.dtype for part in parts}) == 1
    # arrays on disk stay there
    held = all(part.array is not None and not isinstance(part.array, np.memmap) for part in parts)
    if same and held:
        return Images(count, parts[0].dtype, array=np.concatenate([part.array for part in parts]))
    ends = np.cumsum([part.count for part in parts])

    def read(index: int) -> np.ndarray:
        which = int(np.searchsorted(ends, index, side="right"))
        part, row = parts[which], index - int(ends[which] - parts[which].count)
        image = part.read(row) if part.array is None else part.array[row]
        return image if same or image.dtype != np.uint8 else image / np.float32(255)

    dtype = parts[0].dtype if same else np.dtype(np.float32)
    return Images(count, dtype, read=read, fallible=any(part.fallible for part in parts))
