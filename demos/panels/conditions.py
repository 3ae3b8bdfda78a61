"""The class that a conditional model generates, or the category that a model learned itself."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from .protocols import Conditional

EVERY = -1  # every class in turn


def classes(model: Conditional, endpoint: str) -> list[tuple[str, int]]:
    """Returns (name, class) of each class that an endpoint takes; empty if it takes none."""
    port = model.signatures[endpoint]["inputs"].get("label")
    if port is None:
        return []
    names = model.description.get("labels") or []
    return [(names[index] if index < len(names) else str(index), index) for index in range(port["shape"][0])]


def class_field(model: Conditional, endpoint: str, *, every: bool = False) -> gr.Dropdown | gr.State:
    """Returns a dropdown of the classes that an endpoint takes, or an empty state if it takes none.

    Args:
        model: The model.
        endpoint: The endpoint.
        every: Whether the first choice is every class in turn.
    """
    choices = classes(model, endpoint)
    if not choices:
        return gr.State()
    kind = model.signatures[endpoint]["inputs"]["label"]["kind"]
    title = "Category" if kind == "one_hot" else "Class"  # a category is noise: see `Categories`
    choices = [(f"every {title.lower()} in turn", EVERY), *choices] if every else choices
    return gr.Dropdown(choices, value=choices[0][1], label=title, min_width=120)


def selection_events(field: gr.Dropdown | gr.Checkbox | gr.State) -> list[Callable]:
    """Returns the events of a visitor who changes a field; empty for a state, which has no field."""
    return [] if isinstance(field, gr.State) else [field.input]


def label_argument(label: int | None, num: int, count: int = 0) -> dict[str, Any]:
    """Returns the keyword arguments of a runtime call on `num` rows: `label` [num], or none without a class.

    Args:
        label: The class, `EVERY`, or None for a model without classes.
        num: Number of rows.
        count: Number of classes of the model, needed for `EVERY`.
    """
    if label is None:
        return {}
    return {"label": np.arange(num) % count if label == EVERY else np.full(num, label)}
