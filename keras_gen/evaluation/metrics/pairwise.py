"""Squared Euclidean distances of all pairs of two sets, in blocks."""

from collections.abc import Iterator

import numpy as np

from keras_gen.batching import batch_slices

# distances in memory at a time, 64 MiB
PAIRS = 2**23
COLUMNS = 2048

# a squared distance below this fraction of the squared norms becomes 0, so that copies are equal despite rounding
ROUNDING = 1e-12


def squared_distances(rows: np.ndarray, references: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields |x - y|^2 of all pairs in float64, a block of rows at a time.

    It is expanded as |x|^2 + |y|^2 - 2 x . y around the references' mean, which is a matrix product. Pairs whose
    distance is below a millionth of their distance to the mean count as equal.

    Args:
        rows: [num, size].
        references: [others, size].

    Yields:
        (rows, distances): a slice of the rows, and their float64 [len(rows), others], >= 0; the caller may modify them.
    """
    center = references.mean(axis=0, dtype=np.float64)
    norms = np.concatenate([np.square(part).sum(axis=1) for _, part in _centered(references, center)])
    for block in batch_slices(len(rows), max(1, PAIRS // len(references))):
        centered_rows = rows[block].astype(np.float64) - center
        distances = np.square(centered_rows).sum(axis=1)[:, None] + norms
        threshold = ROUNDING * distances
        for columns, part in _centered(references, center):
            distances[:, columns] -= 2.0 * (centered_rows @ part.T)
        distances[distances < threshold] = 0.0
        yield block, distances


def _centered(features: np.ndarray, center: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields centered features in float64, in blocks, because the whole set may be large."""
    for columns in batch_slices(len(features), COLUMNS):
        yield columns, features[columns].astype(np.float64) - center
