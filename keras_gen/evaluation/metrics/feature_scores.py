"""All scores that compare two sets of features."""

import functools
from collections.abc import Callable

import numpy as np

from .frechet_distance import frechet_distance
from .kernel_distance import kernel_distance
from .precision_recall import PrecisionRecall, precision_recall
from .sliced_wasserstein import sliced_wasserstein

SHARE = "share, 0 to 1"
UNITS = {
    "fd": "squared feature",
    "kid": "squared kernel distance",
    "swd": "feature",
    "precision": SHARE,
    "recall": SHARE,
    "density": "1 for real images",
    "coverage": SHARE,
}

# a value, or None with a reason, and what to say about it
Score = tuple[float | None, dict]


def feature_scores(
    samples: np.ndarray,
    real: np.ndarray,
    *,
    seed: int = 0,
    frechet: str = "fd",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Score]:
    """Frechet, kernel and sliced Wasserstein distance, precision, recall, density and coverage.

    Args:
        samples, real: features [num, size], as many in both.
        seed: of subsets and directions.
        frechet: what the Frechet distance is called, `"fid"` for the features of published FIDs.
        progress: called with (percent done, 100): thirds of it are of the distances, the projections and the neighbors.

    Returns:
        {metric: (value, notes)}, in the order of `UNITS`; notes have `unit` and, with None, the `reason`.
    """
    note = "compares with published FIDs of as many samples" if frechet == "fid" else "not the FID: other features"

    def frechets() -> dict[str, Score]:
        return {frechet: (frechet_distance(samples, real), {"note": note})}

    def kernel() -> dict[str, Score]:
        found = kernel_distance(samples, real, seed=seed)
        notes = {"standard_error": found.error, "note": f"standard error over {found.subsets} disjoint subsets"}
        return {"kid": (found.value, notes)}

    def sliced() -> dict[str, Score]:
        value = sliced_wasserstein(samples, real, seed=seed, progress=functools.partial(report, 1))
        return {"swd": (value, {"note": "second order, 1,000 directions"})}

    def neighbors() -> dict[str, Score]:
        found = precision_recall(real, samples, progress=functools.partial(report, 2))._asdict()
        nearest = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
        return {metric: (value, {"note": f"{nearest[metric]} nearest neighbors"}) for metric, value in found.items()}

    def report(part: int, done: int, total: int) -> None:
        progress(round(100 * (part + done / total) / 3), 100)

    parts = (((frechet,), frechets), (("kid",), kernel), (("swd",), sliced), (PrecisionRecall._fields, neighbors))
    scores = {}
    for part, (metrics, measure) in enumerate(parts):
        report(max(0, part - 1), 0, 1)
        scores |= attempt(metrics, measure)
    units = _units(frechet)
    return {metric: (value, {"unit": units[metric], **notes}) for metric, (value, notes) in scores.items()}


def missing_scores(reason: str, frechet: str = "fd") -> dict[str, Score]:
    """The same metrics where there are no features."""
    return {metric: (None, {"unit": unit, "reason": reason}) for metric, unit in _units(frechet).items()}


def _units(frechet: str) -> dict[str, str]:
    return {frechet if metric == "fd" else metric: unit for metric, unit in UNITS.items()}


def attempt(metrics: tuple[str, ...], measure: Callable[[], dict[str, Score]]) -> dict[str, Score]:
    """What a measure gives; where it refuses (a ValueError), its metrics are None and its message is the reason."""
    try:
        return measure()
    except ValueError as error:
        return {metric: (None, {"reason": str(error)}) for metric in metrics}
