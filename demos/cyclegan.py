"""The demo of CycleGAN: an image of one domain is translated into the other domain and back."""

import pathlib

import gradio as gr

from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text
from .panels.translation import DIRECTIONS, add_translation, name_of, shape_of

NOTE = (
    "Two networks translate between two sets of images. They were trained without pairs: each network learned to "
    "generate images that look like the other set, and that the second network can translate back."
)


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with the translations in both directions of one exported model.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/cyclegan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), endpoint_prefix(name)
    shapes = {domain: shape_text(shape_of(model, domain)) for domain in "ab"}
    sizes = f"images {shapes['a']}"
    if shapes["a"] != shapes["b"]:
        sizes = " and ".join(f"images {shapes[domain]} in domain {name_of(model, domain)}" for domain in "ab")
    with model_demo(model, sizes, NOTE) as demo, gr.Tabs():
        for direction in DIRECTIONS:
            with gr.Tab(f"{name_of(model, direction[0])} to {name_of(model, direction[-1])}"):
                add_translation(model, direction, prefix)
    return demo
