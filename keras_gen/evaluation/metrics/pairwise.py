"""Squared Euclidean distances of all pairs of two sets, block by block."""

from collections.abc import Iterator

import numpy as np

# distances that are held at a time, 64 MiB of them
PAIRS = 2**23
COLUMNS = 2048

# a squared distance below this share of the squared norms is 0: rounding must not tell copies apart
ROUNDING = 1e-12


def squared_distances(rows: np.ndarray, references: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """|x - y|^2 for all pairs, in double precision, some rows at a time.

    It is expanded as |x|^2 + |y|^2 - 2 x . y around the references' mean, so that a matrix product does the work.
    Pairs whose distance is below a millionth of their distance to the mean count as equal.

    Args:
        rows: [num, size].
        references: [others, size].

    Yields:
        (rows, distances): which rows, a slice, and their float64 [rows here, others], >= 0; yours to change.
    """
    center = references.mean(axis=0, dtype=np.float64)
    norms = np.concatenate([np.square(part).sum(axis=1) for _, part in _centered(references, center)])
    step = max(1, PAIRS // len(references))
    for start in range(0, len(rows), step):
        block = slice(start, min(start + step, len(rows)))
        here = rows[block].astype(np.float64) - center
        distances = np.square(here).sum(axis=1)[:, None] + norms
        smallest = ROUNDING * distances
        for columns, part in _centered(references, center):
            distances[:, columns] -= 2.0 * (here @ part.T)
        distances[distances < smallest] = 0.0
        yield block, distances


def _centered(features: np.ndarray, center: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Double precision for some columns at a time: the whole set may be large."""
    for start in range(0, len(features), COLUMNS):
        columns = slice(start, start + COLUMNS)
        yield columns, features[columns].astype(np.float64) - center
