"""The demo of StarGAN: an upload in every domain, and between domains."""

import pathlib

import gradio as gr

from .panels.domains import Domains, add_domains
from .panels.limits import open_model


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """All domains of an upload side by side, and sliders between them, of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/stargan/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), f"{name}_" if name else ""
    model, told = Domains(runtime), runtime.description
    shape = " x ".join(map(str, runtime.image_shape))
    size = told["files"][runtime.precision]["bytes"] / 1e3
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}, {len(model.names)} attributes, one file of {size:.0f} kB "
            f"({runtime.precision}). One generator is given an image and what it should have, and draws it so; it "
            "learned from images whose attributes were known, and never saw one image in two domains as a pair."
        )
        add_domains(model, prefix)
    return demo
