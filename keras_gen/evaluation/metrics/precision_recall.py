"""Precision and recall, density and coverage: fidelity and diversity, separately, by nearest neighbors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..types import Progress, no_progress
from .feature_sets import feature_pair
from .pairwise import squared_distances


class PrecisionRecall(NamedTuple):
    """Fractions of samples that lie in balls around the samples of the other set.

    Attributes:
        precision: fraction of generated samples in the ball of any real one, 0 to 1.
        recall: fraction of real samples in the ball of any generated one, 0 to 1.
        density: number of real balls that contain a generated sample, / neighbors; 1 is expected for real samples, and
            larger values are possible.
        coverage: fraction of real samples whose ball contains a generated one, 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    neighbors: int = 3,
    density_neighbors: int = 5,
    progress: Progress = no_progress,
) -> PrecisionRecall:
    """Returns improved precision and recall, and density and coverage.

    The radius of a sample's ball is the distance to its k-th nearest neighbor in its own set, boundary included; k is 3
    for precision and recall and 5 for density and coverage, as in the papers. If both sets come from one distribution,
    the expected density is 1 and the expected coverage 1 - prod_{i=1..k} (N - i) / (M + N - i), with N real and M
    generated samples (0.969 for many, k = 5). Precision and recall have no such value and depend on the features:
    compare them with those of real samples. All four depend on the number of samples.

    Args:
        real: features [num, size].
        generated: features [other num, size].
        neighbors: k of precision and recall, >= 1.
        density_neighbors: k of density and coverage, >= 1.
        progress: called with (samples compared, total), over three comparisons of all pairs.

    Returns:
        a PrecisionRecall.

    Raises:
        ValueError: for k < 1, sets of k samples or fewer, or features of different size.

    Reference:
        Kynkaanniemi, Karras, Laine, Lehtinen, Aila 2019, arXiv:1904.06991, section 2, eq. 1 and 2.
        Naeem, Oh, Uh, Choi, Yoo 2020, Reliable fidelity and diversity metrics, arXiv:2002.09797, section 3,
        lemmas 1 and 2.
    """
    if min(neighbors, density_neighbors) < 1:
        raise ValueError(f"Expected neighbors >= 1; received {neighbors} and {density_neighbors}")
    real, generated = feature_pair(real, generated, min_features=max(neighbors, density_neighbors) + 1)
    total = 2 * len(real) + len(generated)
    around_real, dense_around_real = squared_radii(
        real, (neighbors, density_neighbors), progress=lambda done: progress(done, total)
    )
    (around_generated,) = squared_radii(
        generated, (neighbors,), progress=lambda done: progress(len(real) + done, total)
    )
    precise = np.zeros(len(generated), bool)
    recalled, covered, inside = 0, 0, 0
    for rows, distances in squared_distances(real, generated):
        precise |= (distances <= around_real[rows, None]).any(axis=0)
        recalled += int((distances <= around_generated).any(axis=1).sum())
        dense = distances <= dense_around_real[rows, None]
        inside += int(dense.sum())
        covered += int(dense.any(axis=1).sum())
        progress(len(real) + len(generated) + rows.stop, total)
    return PrecisionRecall(
        precision=float(precise.mean()),
        recall=recalled / len(real),
        density=inside / (density_neighbors * len(generated)),
        coverage=covered / len(real),
    )


def squared_radii(
    features: np.ndarray, neighbors: Sequence[int], *, progress: Callable[[int], None] = lambda done: None
) -> list[np.ndarray]:
    """Returns the squared distance of each sample to its k-th nearest neighbor in the set, itself excluded.

    Args:
        features: [num, size].
        neighbors: values of k, each 1 <= k < num.
        progress: called with the number of samples done.

    Returns:
        float64 [num] for each k.
    """
    radii = [np.empty(len(features)) for _ in neighbors]
    for rows, distances in squared_distances(features, features):
        # the sample itself is the neighbor at distance 0
        distances.partition(sorted(set(neighbors)), axis=1)
        for radius, k in zip(radii, neighbors, strict=True):
            radius[rows] = distances[:, k]
        progress(rows.stop)
    return radii
