"""Types that the evaluators and metrics share."""

from collections.abc import Callable
from typing import Any

# metric name -> value; None where the metric cannot be computed
Metrics = dict[str, Any]

# metric name -> "unit", sample sizes ("images", "samples", ...), "note" and, for a None, the "reason"
About = dict[str, dict[str, Any]]

# called with (steps done, steps in total)
Progress = Callable[[int, int], None]

# called with (activity, steps done, steps in total)
ProgressReport = Callable[[str, int, int], None]


def no_progress(done: int, total: int) -> None:
    """Reports nothing."""


def no_report(activity: str, done: int, total: int) -> None:
    """Reports nothing."""
