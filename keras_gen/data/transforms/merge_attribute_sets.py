"""Merges datasets with different labels: the images of all, their known attributes, and the dataset of each image."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..info import Images, Table, fingerprint_of
from ..value_range import deepest
from .attributes import FIELD, attribute_groups, choose_attributes

DATASET = "dataset"


def merged_groups(
    names: Sequence[Mapping[str, Sequence[str]]], chosen: Sequence[str]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """Returns the groups of the vector of attributes of several datasets; see `attribute_groups` for one.

    A name is a group of every dataset that has it: `label` of two folders is two groups.

    Args:
        names: For each dataset, field -> names of its values.
        chosen: Names of fields and of single attributes.

    Returns:
        Size of each group, index of the dataset that has it, and the name of each entry of the vector. The groups are
        in the order of the datasets.

    Raises:
        ValueError: For a name that is in no dataset, a dataset with none of the names, or one entry in two datasets.

    Example:
        >>> merged_groups([{"label": ("cat", "dog")}, {"attributes": ("tame",)}], ["label", "tame"])
        ((2, 1), (0, 1), ('cat', 'dog', 'tame'))
    """
    sizes: list[int] = []
    datasets: list[int] = []
    entries: list[str] = []
    for index, own in enumerate(chosen_of_each(names, chosen)):
        own_sizes, own_entries = attribute_groups(names[index], own)
        sizes += own_sizes
        datasets += [index] * len(own_sizes)
        entries += own_entries
    if repeated := sorted({entry for entry in entries if entries.count(entry) > 1}):
        raise ValueError(
            f"Expected unique attributes; received {', '.join(repeated)} in both datasets. Rename them in one."
        )
    return tuple(sizes), tuple(datasets), tuple(entries)


def chosen_of_each(names: Sequence[Mapping[str, Sequence[str]]], chosen: Sequence[str]) -> list[list[str]]:
    """Returns the selected names that each dataset has; arguments and errors are those of `merged_groups`."""
    attributes = {FIELD: tuple(entry for own in names for entry in own.get(FIELD, ()))}
    attribute_groups({field: () for own in names for field in own} | attributes, chosen)  # checks for unknown names
    parts = [[name for name in chosen if _has(own, name)] for own in names]
    for index, part in enumerate(parts):
        if not part:
            raise ValueError(
                f"Expected at least one attribute of every dataset; received none of dataset {index + 1} "
                f"in {', '.join(chosen)}."
            )
    return parts


def merge_datasets(tables: Sequence[Table], chosen: Sequence[str]) -> Table:
    """Merges tables to one with the fields `image`, `attributes` (0 if unknown in a dataset) and `dataset`.

    Args:
        tables: Tables with random access and images of one shape.
        chosen: Names of fields and of single attributes.

    Raises:
        ValueError: As `merged_groups`, and for a stream.
    """
    for table in tables:
        table.require_random_access("Merged datasets")
    names = [table.names for table in tables]
    entries = merged_groups(names, chosen)[2]
    parts = [choose_attributes(table, own) for table, own in zip(tables, chosen_of_each(names, chosen), strict=True)]
    vectors, offset = [], 0
    for part in parts:
        vector = part.columns[FIELD]
        vectors.append(np.pad(vector, [[0, 0], [offset, len(entries) - offset - vector.shape[1]]]))
        offset += vector.shape[1]
    counts = [len(vector) for vector in vectors]
    return Table(
        {"image": _concatenate([table.images["image"] for table in tables])},
        {FIELD: np.concatenate(vectors), DATASET: np.repeat(np.arange(len(tables), dtype=np.int32), counts)},
        {FIELD: entries},
        fingerprint_of([part.fingerprint for part in parts]),
        skipped=tuple(each for table in tables for each in table.skipped),
        left_out=tuple(dict.fromkeys(name for table in tables for name in table.left_out)),
        value_range=deepest([table.value_range for table in tables]),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _has(names: Mapping[str, Sequence[str]], name: str) -> bool:
    return (name != FIELD and name in names) or name in names.get(FIELD, ())


def _concatenate(parts: Sequence[Images]) -> Images:
    count, same = sum(part.count for part in parts), len({part.dtype for part in parts}) == 1
    arrays = [part.array for part in parts if part.array is not None and not isinstance(part.array, np.memmap)]
    if same and len(arrays) == len(parts):  # memory-mapped arrays stay on disk
        return Images(count, parts[0].dtype, array=np.concatenate(arrays))
    ends = np.cumsum([part.count for part in parts])

    def read(index: int) -> np.ndarray:
        which = int(np.searchsorted(ends, index, side="right"))
        image = parts[which].get(index - int(ends[which] - parts[which].count))
        return image if same or image.dtype != np.uint8 else image / np.float32(255)

    dtype = parts[0].dtype if same else np.dtype(np.float32)
    return Images(count, dtype, read=read, fallible=any(part.fallible for part in parts))
