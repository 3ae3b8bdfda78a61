"""The table of results that `evaluate` prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

from .types import About, Metrics

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
    if content.get("headline"):
        console.print(f"[bold]Score: {headline_text(content['headline'])}[/bold]")
    if references:
        console.print("Floor: the value of real images. Baseline: the value of a trivial solution, such as the input.")
    for name in metrics:
        if name not in references.values() and "how_to_read" in content["about"].get(name, {}):
            console.print(f"{name} {content['about'][name]['how_to_read']}.")
    for reason in reasons:
        console.print(reason, style="yellow")


def headline(metrics: Metrics, about: About) -> dict[str, Any] | None:
    """Returns the score by which runs are compared, or None for a model without samples.

    It is the first metric whose notes have `better`, with its floor, the value of real images: {"metric", "value",
    "floor", "better": "lower" or "higher"}.
    """
    for name, value in metrics.items():
        if "better" in about[name] and f"{name}_floor" in metrics:
            return {
                "metric": name,
                "value": value,
                "floor": metrics[f"{name}_floor"],
                "better": about[name]["better"],
            }
    return None


def headline_text(headline: dict[str, Any]) -> str:
    """Returns a headline of `evaluate` as text.

    Example:
        >>> headline_text({"metric": "fd_small_v1_1000_test", "value": 3.14, "floor": 0.2, "better": "lower"})
        'fd_small_v1_1000_test = 3.14; lower is better, and real images have 0.2'
    """
    if headline["value"] is None:
        return f"{headline['metric']} is null"
    floor = format_value(headline["floor"], {})
    value = format_value(headline["value"], {})
    return f"{headline['metric']} = {value}; {headline['better']} is better, and real images have {floor}"


def format_value(value: float | None, about: dict[str, Any]) -> str:
    """Returns a value as text, with its standard error where `about` has one; None becomes "null"."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return f"{value:,}"
    if about.get("standard_error"):
        return f"{value:.4g} +- {about['standard_error']:.2g}"
    return f"{value:.5g}"
