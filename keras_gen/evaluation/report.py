"""What `evaluate` shows on the terminal: progress while it works, and the table of results."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table


class Progress:
    """One line that says what is being measured, gone when it is done.

    Args:
        shown: False shows nothing.
    """

    def __init__(self, shown: bool):
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Bar(*columns, TimeRemainingColumn(), transient=True, disable=not shown, console=Console())
        self._task, self._what = None, None

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *error) -> None:
        self._bar.stop()

    def update(self, what: str, done: int, total: int) -> None:
        """Say what is going on, and how much of it is done; a total of 0 is an unknown one."""
        if what != self._what:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task, self._what = self._bar.add_task(what, total=total or None), what
        self._bar.update(self._task, completed=done, total=total or None)


def table(content: dict, title: str) -> None:
    """Print the metrics of an evaluation with units and sample sizes, and why some are null.

    Args:
        content: as `evaluate` returns it. The floor of a score stands in its row.
        title: what was evaluated.
    """
    shown = Table(title=title, title_justify="left")
    metrics = content["metrics"]
    floors = {name: f"{name}_floor" for name in metrics if f"{name}_floor" in metrics}
    for column in ("metric", "value", *(["floor"] if floors else []), "unit", "images", "samples"):
        shown.add_column(column, justify="left" if column in ("metric", "unit") else "right", overflow="fold")
    reasons = []
    for name, value in metrics.items():
        if name in floors.values():
            continue
        about = content["about"].get(name, {})
        sizes = [f"{about[key]:,}" if key in about else "" for key in ("images", "samples")]
        limit = f", at most {about['limit']:.2f}" if "limit" in about else ""
        floor = [number(metrics[floors[name]], content["about"][floors[name]]) if name in floors else ""]
        shown.add_row(name, number(value, about), *(floor if floors else []), about.get("unit", "") + limit, *sizes)
        if value is None:
            reasons.append(f"{name} is null: {about['reason']}")
    console = Console()
    console.print(shown)
    for reason in reasons:
        console.print(reason, style="yellow")


def number(value: float | None, about: dict) -> str:
    """A value with its standard error, where it has one; null is "null"."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return f"{value:,}"
    if about.get("standard_error"):
        return f"{value:.4g} +- {about['standard_error']:.2g}"
    return f"{value:.5g}"
