"""The table of results that `evaluate` prints."""

from rich.console import Console
from rich.table import Table

# of the floor and of the baseline of a metric, in their names
ENDINGS = ("_floor", "_baseline")


def table(content: dict, title: str) -> None:
    """Print the metrics of an evaluation with units and sample sizes, and why some are null.

    Args:
        content: as `evaluate` returns it. The floor of a score, what real images have, and the baseline of a metric,
            what the trivial solution has, are in its row.
        title: what was evaluated.
    """
    shown = Table(title=title, title_justify="left")
    metrics = content["metrics"]
    # a metric has one of them, not both
    others = {name: name + end for end in ENDINGS for name in metrics if name + end in metrics}
    headings = ("metric", "value", *(["floor or baseline"] if others else []), "unit", "images", "samples")
    for heading in headings:
        shown.add_column(heading, justify="left" if heading in ("metric", "unit") else "right", overflow="fold")
    reasons = []
    for name, value in metrics.items():
        if name in others.values():
            continue
        about = content["about"].get(name, {})
        sizes = [f"{about[key]:,}" if key in about else "" for key in ("images", "samples")]
        limit = f", at most {about['limit']:.2f}" if "limit" in about else ""
        other = others.get(name)
        beside = [number(metrics[other], content["about"][other]) if other else ""] if others else []
        shown.add_row(name, number(value, about), *beside, about.get("unit", "") + limit, *sizes)
        if value is None:
            reasons.append(f"{name} is null: {about['reason']}")
    console = Console()
    console.print(shown)
    if others:
        console.print("Floor: what real images have. Baseline: what the trivial solution has, such as doing nothing.")
    for name in metrics:
        if name not in others.values() and "how_to_read" in content["about"].get(name, {}):
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
