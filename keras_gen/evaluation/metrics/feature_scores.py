"""All scores that compare two sets of features."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..types import Progress, no_progress
from .frechet_distance import frechet_distance
from .kernel_distance import kernel_distance
from .precision_recall import PrecisionRecall, precision_recall
from .sliced_wasserstein import sliced_wasserstein

FRACTION = "fraction, 0 to 1"
UNITS = {
    "fd": "squared feature",
    "kid": "squared kernel distance",
    "swd": "feature",
    "precision": FRACTION,
    "recall": FRACTION,
    "density": "1 for real images",
    "coverage": FRACTION,
}

# a value with notes ("unit", "note", ...); a value of None has a "reason"
Score = tuple[float | None, dict[str, Any]]


def feature_scores(
    samples: np.ndarray,
    real: np.ndarray,
    *,
    seed: int = 0,
    frechet: str = "fd",
    full_rank: bool = True,
    progress: Progress = no_progress,
) -> dict[str, Score]:
    """Computes Frechet, kernel and sliced Wasserstein distance, precision, recall, density and coverage.

    Args:
        samples: features [num, size].
        real: features of as many real images, the same shape.
        seed: seed of subsets and directions.
        frechet: name of the Frechet distance, `"fid"` for the features of published FIDs.
        full_rank: see `frechet_distance`.
        progress: called with (percent done, 100): a third each for the distances, the projections and the neighbors.

    Returns:
        {metric: (value, notes)}, in the order of `UNITS`; notes have `unit` and, for a None, the `reason`.
    """
    note = "compares with published FIDs of as many samples" if frechet == "fid" else "not the FID: other features"

    def frechet_score() -> dict[str, Score]:
        return {frechet: (frechet_distance(samples, real, full_rank=full_rank), {"note": note})}

    def kernel_score() -> dict[str, Score]:
        distance = kernel_distance(samples, real, seed=seed)
        notes = {"standard_error": distance.error, "note": f"standard error over {distance.subsets} disjoint subsets"}
        return {"kid": (distance.value, notes)}

    def sliced_score() -> dict[str, Score]:
        value = sliced_wasserstein(samples, real, seed=seed, progress=functools.partial(report, 1))
        return {"swd": (value, {"note": "second order, 1,000 directions"})}

    def neighbor_scores() -> dict[str, Score]:
        values = precision_recall(real, samples, progress=functools.partial(report, 2))._asdict()
        nearest = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
        return {metric: (value, {"note": f"{nearest[metric]} nearest neighbors"}) for metric, value in values.items()}

    def report(part: int, done: int, total: int) -> None:
        progress(round(100 * (part + done / total) / 3), 100)

    groups: tuple[tuple[tuple[str, ...], Callable[[], dict[str, Score]]], ...] = (
        ((frechet,), frechet_score),
        (("kid",), kernel_score),
        (("swd",), sliced_score),
        (PrecisionRecall._fields, neighbor_scores),
    )
    scores: dict[str, Score] = {}
    for part, (metrics, measure) in enumerate(groups):
        report(max(0, part - 1), 0, 1)
        scores |= attempt(metrics, measure)
    units = _units(frechet)
    return {metric: (value, {"unit": units[metric], **notes}) for metric, (value, notes) in scores.items()}


def missing_scores(reason: str, frechet: str = "fd") -> dict[str, Score]:
    """Returns the metrics of `feature_scores` as None, with a reason why there are no features."""
    return {metric: (None, {"unit": unit, "reason": reason}) for metric, unit in _units(frechet).items()}


def _units(frechet: str) -> dict[str, str]:
    return {frechet if metric == "fd" else metric: unit for metric, unit in UNITS.items()}


def attempt(metrics: tuple[str, ...], measure: Callable[[], dict[str, Score]]) -> dict[str, Score]:
    """Returns the scores of a function, or None for each metric with the message of its ValueError as the reason."""
    try:
        return measure()
    except ValueError as error:
        return {metric: (None, {"reason": str(error)}) for metric in metrics}
