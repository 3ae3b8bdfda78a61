"""The table of results that `evaluate` prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

# suffixes of a metric's name that mark its floor and its baseline
REFERENCE_SUFFIXES = ("_floor", "_baseline")


def print_table(content: dict, title: str) -> None:
    """Prints the metrics of an evaluation with units and sample sizes, and the reasons for null values.

    Args:
        content: as `evaluate` returns it. A metric's floor (the value of real images) or baseline (the value of the
            trivial solution) is printed in the row of the metric.
        title: title of the table.
    """
    table = Table(title=title, title_justify="left")
    metrics = content["metrics"]
    # a metric has a floor or a baseline, never both
    references = {name: name + suffix for suffix in REFERENCE_SUFFIXES for name in metrics if name + suffix in metrics}
    headings = ("metric", "value", *(["floor or baseline"] if references else []), "unit", "images", "samples")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("metric", "unit") else "right", overflow="fold")
    reasons = []
    for name, value in metrics.items():
        if name in references.values():
            continue
        about = content["about"].get(name, {})
        sizes = [f"{about[key]:,}" if key in about else "" for key in ("images", "samples")]
        limit = f", at most {about['limit']:.2f}" if "limit" in about else ""
        cells = [format_value(value, about)]
        if references:
            reference = references.get(name)
            cells.append(format_value(metrics[reference], content["about"][reference]) if reference else "")
        table.add_row(name, *cells, about.get("unit", "") + limit, *sizes)
        if value is None:
            reasons.append(f"{name} is null: {about['reason']}")
    console = Console()
    console.print(table)
    if references:
        console.print("Floor: the value of real images. Baseline: the value of a trivial solution, such as the input.")
    for name in metrics:
        if name not in references.values() and "how_to_read" in content["about"].get(name, {}):
            console.print(f"{name} {content['about'][name]['how_to_read']}.")
    for reason in reasons:
        console.print(reason, style="yellow")


def format_value(value: float | None, about: dict[str, Any]) -> str:
    """Returns a value as text, with its standard error where `about` has one; None becomes "null"."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return f"{value:,}"
    if about.get("standard_error"):
        return f"{value:.4g} +- {about['standard_error']:.2g}"
    return f"{value:.5g}"
