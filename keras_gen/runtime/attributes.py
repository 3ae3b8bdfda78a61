"""Attribute vectors from names: exclusive groups, single attributes, and the datasets that define them.

An attribute schema has `names` (one for each of n entries), `groups` (sizes with the sum n) and `datasets` (the dataset
of each group; empty for a single dataset). A group of k >= 2 entries holds exclusive classes, exactly one of which is
1. A group of one entry is an independent attribute, 0 or 1.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .names import indices_of


def attribute_vectors(
    schema: Mapping[str, Any], requested: Any, num: int, dataset: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Converts names or vectors to attribute vectors and their datasets.

    Args:
        schema: `names`, `groups` and `datasets`, as in the `attributes` of model.json.
        requested: a name; a tuple or set of names (one of every exclusive group, and any independent attributes that
            are on); a vector [n] in [0, 1]; or a list (or an array [num, n]) with one of these for each image.
        num: images, >= 1.
        dataset: the dataset of vectors, required if there are several. Names imply theirs.

    Returns:
        Vectors float32 [num, n], and datasets int32 [num].

    Raises:
        ValueError: for an unknown name, names that exclude each other, or another shape or number.
    """
    rows = [requested] * num if _is_single(requested) else list(requested)
    if len(rows) != num:
        raise ValueError(f"Expected attributes for {num} images, or one for all; received {len(rows)}")
    pairs = [
        _vector_of_names(schema, [row] if isinstance(row, str) else list(row)) if _are_names(row)
        else _checked_vector(schema, row, dataset)
        for row in rows
    ]  # fmt: skip
    return np.stack([vector for vector, _ in pairs]), np.array([which for _, which in pairs], np.int32)


def _are_names(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple, set)) and all(isinstance(name, str) for name in value)
    )


def _is_single(requested: Any) -> bool:
    """Returns whether the request is the same for all images: a name, a tuple or set of names, or a vector."""
    if isinstance(requested, np.ndarray):
        return requested.ndim == 1 and requested.dtype.kind in "fiub"
    if isinstance(requested, (str, set)):
        return True
    if not isinstance(requested, (list, tuple)):
        return False
    numbers = all(isinstance(value, (int, float, np.number)) for value in requested)
    return numbers or (isinstance(requested, tuple) and _are_names(requested))


def _group_datasets(schema: Mapping[str, Any]) -> list[int]:
    """Returns the dataset of each group."""
    return list(schema["datasets"] or [0] * len(schema["groups"]))


def _vector_of_names(schema: Mapping[str, Any], requested: list[str]) -> tuple[np.ndarray, int]:
    names, groups, datasets = list(schema["names"]), list(schema["groups"]), _group_datasets(schema)
    if not requested:
        raise ValueError(f"Expected at least one attribute of {', '.join(names)}; received none")
    group_of = np.repeat(np.arange(len(groups)), groups)
    entries = indices_of("attribute", requested, names, len(names))
    used = {int(datasets[group_of[entry]]) for entry in entries}
    if len(used) > 1:
        raise ValueError(f"Expected attributes of one dataset; received {', '.join(requested)} of different datasets")
    (dataset,) = used
    vector = np.zeros(len(names), np.float32)
    vector[entries] = 1
    for group, size in enumerate(groups):
        members = [names[entry] for entry in np.flatnonzero(group_of == group)]
        if size > 1 and datasets[group] == dataset and vector[group_of == group].sum() != 1:
            received = ", ".join(name for name in requested if name in members) or "none"
            raise ValueError(f"Expected exactly one of {', '.join(members)}; received {received}")
    return vector, dataset


def _checked_vector(schema: Mapping[str, Any], vector: Any, dataset: int | None) -> tuple[np.ndarray, int]:
    size, num_datasets = sum(schema["groups"]), max(schema["datasets"], default=0) + 1
    array = np.asarray(vector)
    if array.shape != (size,) or array.dtype.kind not in "fiub":
        raise ValueError(f"Expected names, or a vector of {size} numbers in [0, 1]; received {vector!r}")
    if not (array >= 0).all() or not (array <= 1).all():
        raise ValueError(f"Expected attributes between 0 and 1; received {vector!r}")
    if dataset not in range(num_datasets) and (dataset is not None or num_datasets > 1):
        raise ValueError(
            f"Expected the dataset of an attribute vector, dataset=0 to {num_datasets - 1}; received {dataset!r}"
        )
    return array.astype(np.float32), int(dataset or 0)
