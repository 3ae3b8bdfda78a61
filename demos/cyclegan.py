"""The demo of CycleGAN: an image of one domain, as one of the other, and back again."""

import pathlib

import gradio as gr

from .panels.limits import open_model
from .panels.translation import DIRECTIONS, add_translation, name_of, shape_of


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Translations both ways of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/cyclegan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), f"{name}_" if name else ""
    told = model.description
    shapes = {domain: " x ".join(map(str, shape_of(model, domain))) for domain in "ab"}
    size = told["files"][model.precision]["bytes"] / 1e3
    sizes = f"images {shapes['a']}"
    if shapes["a"] != shapes["b"]:
        sizes = " and ".join(f"images {shapes[domain]} in domain {name_of(model, domain)}" for domain in "ab")
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, {sizes}, one file of {size:.0f} kB ({model.precision}). Two networks translate "
            "between two sets of images. No image of one set was ever shown with its counterpart in the other: each "
            "network had to make images that look like the other set, from which the second finds the way back."
        )
        with gr.Tabs():
            for direction in DIRECTIONS:
                with gr.Tab(f"{name_of(model, direction[0])} to {name_of(model, direction[-1])}"):
                    add_translation(model, direction, prefix)
    return demo
