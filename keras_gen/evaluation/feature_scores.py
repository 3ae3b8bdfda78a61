"""All scores that compare two sets of features."""

from collections.abc import Callable

import numpy as np

from .frechet_distance import frechet_distance
from .kernel_distance import kernel_distance
from .precision_recall import PrecisionRecall, precision_recall
from .sample_distance import sliced_wasserstein

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


def feature_scores(samples: np.ndarray, real: np.ndarray, *, seed: int = 0) -> dict[str, Score]:
    """Frechet, kernel and sliced Wasserstein distance, precision, recall, density and coverage.

    Args:
        samples, real: features [num, size], as many in both.
        seed: of subsets and directions.

    Returns:
        {metric: (value, notes)}, in the order of `UNITS`; notes have `unit` and, with None, the `reason`.
    """

    def frechet() -> dict[str, Score]:
        return {"fd": (frechet_distance(samples, real), {"note": "not the FID: other features"})}

    def kernel() -> dict[str, Score]:
        found = kernel_distance(samples, real, seed=seed)
        notes = {"standard_error": found.error, "note": f"standard error over {found.subsets} disjoint subsets"}
        return {"kid": (found.value, notes)}

    def sliced() -> dict[str, Score]:
        return {"swd": (sliced_wasserstein(samples, real, seed=seed), {"note": "second order, 1,000 directions"})}

    def neighbours() -> dict[str, Score]:
        found = precision_recall(real, samples)._asdict()
        nearest = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
        return {metric: (value, {"note": f"{nearest[metric]} nearest neighbours"}) for metric, value in found.items()}

    parts = ((("fd",), frechet), (("kid",), kernel), (("swd",), sliced), (PrecisionRecall._fields, neighbours))
    scores = {}
    for metrics, measure in parts:
        scores |= attempt(metrics, measure)
    return {metric: (value, {"unit": UNITS[metric], **notes}) for metric, (value, notes) in scores.items()}


def missing_scores(reason: str) -> dict[str, Score]:
    """The same metrics where there are no features."""
    return {metric: (None, {"unit": unit, "reason": reason}) for metric, unit in UNITS.items()}


def attempt(metrics: tuple[str, ...], measure: Callable[[], dict[str, Score]]) -> dict[str, Score]:
    """What a measure gives; where it refuses (a ValueError), its metrics are None and its message is the reason."""
    try:
        return measure()
    except ValueError as error:
        return {metric: (None, {"reason": str(error)}) for metric in metrics}
