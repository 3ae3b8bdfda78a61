"""What a conditional model is told: its class, or the category that it found itself."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

EVERY = -1  # every class in turn


def classes(model: Runtime, endpoint: str) -> list[tuple[str, int]]:
    """(name, class) of the classes that an endpoint takes; empty where it takes none."""
    port = model.signatures[endpoint]["inputs"].get("label")
    if port is None:
        return []
    names = model.description.get("labels") or []
    return [(names[index] if index < len(names) else str(index), index) for index in range(port["shape"][0])]


def class_field(model: Runtime, endpoint: str, *, every: bool = False) -> gr.Dropdown | gr.State:
    """A dropdown of the classes that an endpoint takes; an empty state, so that handlers look alike, for none.

    Args:
        model, endpoint: whose classes.
        every: also offer every class in turn, and start with it.
    """
    choices = classes(model, endpoint)
    if not choices:
        return gr.State()
    kind = model.signatures[endpoint]["inputs"]["label"]["kind"]
    title = "Category" if kind == "one_hot" else "Class"  # a category is base noise: see `Categories`
    choices = [(f"every {title.lower()} in turn", EVERY), *choices] if every else choices
    return gr.Dropdown(choices, value=choices[0][1], label=title, min_width=120)


def chosen(field: gr.Dropdown | gr.State) -> list:
    """The events of a person choosing another class; none where there are no classes."""
    return [field.input] if isinstance(field, gr.Dropdown) else []


def told(label: int | None, num: int, count: int = 0) -> dict:
    """The keyword arguments of a runtime call on `num` rows: {} without a class.

    Args:
        label: the class, `EVERY`, or None for a model without classes.
        num: rows.
        count: classes of the model, needed for `EVERY`.
    """
    if label is None:
        return {}
    return {"label": np.arange(num) % count if label == EVERY else np.full(num, label)}
