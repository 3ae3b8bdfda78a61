"""The table of results that `evaluate` prints."""

from rich.console import Console
from rich.table import Table


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
