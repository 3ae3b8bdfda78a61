"""Adds a labeled subset of a dataset, for semi-supervised learning from few labels."""

import dataclasses

import numpy as np

from ..info import Table, fingerprint_of

IMAGE, LABEL = "labeled_image", "labeled_label"


def add_labeled(table: Table, count: int, seed: int) -> Table:
    """Returns a table with the fields `labeled_image` and `labeled_label`: a fixed subset with balanced classes.

    The subset is shuffled independently, and is repeated as often as an epoch of all images needs.

    Args:
        table: A table with `image` and integer `label`.
        count: Maximum number of labeled examples, >= 1; a class with too few examples contributes all of them.
        seed: Seed of the choice.

    Raises:
        ValueError: If the source has no labels or is a stream.
    """
    if isinstance(count, bool) or int(count) != count or count < 1:
        raise ValueError(f"Expected labeled as a positive number of examples; received {count!r}.")
    table.require_random_access("Labeled subsets")
    label = table.columns.get("label")
    if label is None or label.ndim != 1 or not np.issubdtype(label.dtype, np.integer):
        columns = ", ".join(table.columns) or "none"
        raise ValueError(f"Expected a source with an integer label for labeled; received the columns {columns}.")
    chosen = choose_balanced(label, count, seed)
    names = {**table.names, LABEL: table.names["label"]} if "label" in table.names else table.names
    return dataclasses.replace(
        table,
        fingerprint=fingerprint_of([table.fingerprint, chosen.tolist()]),
        images={**table.images, IMAGE: table.images["image"].select(chosen)},
        columns={**table.columns, LABEL: label[chosen]},
        names=names,
        owners={**table.owners, LABEL: IMAGE},
    )


def choose_balanced(label: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Selects a random subset in which the sizes of the classes differ by at most one.

    Args:
        label: Integers [num].
        count: Number of examples; the result is smaller only if there are fewer examples.
        seed: Seed of the choice.

    Returns:
        Sorted indices.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    order = generator.permutation(len(label))
    # rank of each example within its class, in the random order: take all first ones, then all second ones, ...
    rank = np.empty(len(label), np.int64)
    for value in np.unique(label):
        rows = order[label[order] == value]
        rank[rows] = np.arange(len(rows))
    return np.sort(order[np.argsort(rank[order], kind="stable")][:count])
