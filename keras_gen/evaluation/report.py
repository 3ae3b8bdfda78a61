"""The table of results that `evaluate` prints."""

from rich.console import Console
from rich.table import Table


def table(content: dict, title: str) -> None:
    """Print the metrics of an evaluation with units and sample sizes, and why some are null.

    Args:
        content: as `evaluate` returns it. The floor of a score, what real images have, and the baseline of a metric,
            what the trivial solution has, are in its row.
        title: what was evaluated.
    """
    shown = Table(title=title, title_justify="left")
    metrics = content["metrics"]
    beside = {
        column: {name: f"{name}_{column}" for name in metrics if f"{name}_{column}" in metrics}
        for column in ("floor", "baseline")
    }
    beside = {column: names for column, names in beside.items() if names}
    in_other_rows = {other for names in beside.values() for other in names.values()}
    for column in ("metric", "value", *beside, "unit", "images", "samples"):
        shown.add_column(column, justify="left" if column in ("metric", "unit") else "right", overflow="fold")
    reasons = []
    for name, value in metrics.items():
        if name in in_other_rows:
            continue
        about = content["about"].get(name, {})
        sizes = [f"{about[key]:,}" if key in about else "" for key in ("images", "samples")]
        limit = f", at most {about['limit']:.2f}" if "limit" in about else ""
        others = [names.get(name) for names in beside.values()]
        others = [number(metrics[other], content["about"][other]) if other else "" for other in others]
        shown.add_row(name, number(value, about), *others, about.get("unit", "") + limit, *sizes)
        if value is None:
            reasons.append(f"{name} is null: {about['reason']}")
    console = Console()
    console.print(shown)
    for name in metrics:
        if name not in in_other_rows and "how_to_read" in content["about"].get(name, {}):
            console.print(f"{name} {content['about'][name]['how_to_read']}.")
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
