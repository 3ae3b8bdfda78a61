"""A labeled part of a set beside the whole of it, for learning from few labels."""

import dataclasses
import hashlib

import numpy as np

from ..info import Table

IMAGE, LABEL = "labeled_image", "labeled_label"


def add_labeled(table: Table, count: int, seed: int) -> Table:
    """A table with the fields `labeled_image` and `labeled_label`: a fixed part of it, its classes equally often.

    The part is shuffled by itself, in an order of its own, and starts again as often as an epoch of all images needs.

    Args:
        table: with `image` and integer `label`, held or read by index.
        count: labeled examples, >= 1, at most; a class that has too few gives all it has.
        seed: of the choice.

    Raises:
        ValueError: where the source has no labels or comes in sequence.
    """
    if isinstance(count, bool) or int(count) != count or count < 1:
        raise ValueError(f"labeled is a positive number of examples; got {count!r}.")
    if table.stream is not None:
        raise ValueError("labeled needs examples that are held: give cache='memory' or cache='disk'.")
    label = table.columns.get("label")
    if label is None or label.ndim != 1 or not np.issubdtype(label.dtype, np.integer):
        raise ValueError(f"labeled needs an integer label; the source has {', '.join(table.columns) or 'none'}.")
    chosen = choose_balanced(label, count, seed)
    images = table.images["image"]
    array = None if images.array is None else images.array[chosen]
    read = None if images.read is None else lambda index: images.read(chosen[index])
    part = dataclasses.replace(images, count=len(chosen), array=array, read=read)
    names = {**table.names, LABEL: table.names["label"]} if "label" in table.names else table.names
    identity = f"{table.fingerprint}|{chosen.tolist()}"
    return dataclasses.replace(
        table,
        fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
        images={**table.images, IMAGE: part},
        columns={**table.columns, LABEL: label[chosen]},
        names=names,
        owners={**table.owners, LABEL: IMAGE},
    )


def choose_balanced(label: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices of `count` examples, the classes equally often (up to one), sorted.

    Args:
        label: integers [num].
        count: examples; fewer come back only where the set has fewer.
        seed: the same seed chooses the same examples.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    order = generator.permutation(len(label))
    # the place of each example among those of its class, in the random order: all first ones, then all second ones, ...
    rank = np.empty(len(label), np.int64)
    for each in np.unique(label):
        mine = order[label[order] == each]
        rank[mine] = np.arange(len(mine))
    return np.sort(order[np.argsort(rank[order], kind="stable")][:count])
