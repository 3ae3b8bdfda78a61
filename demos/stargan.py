"""The demo of StarGAN: an upload translated into every domain, and between domains."""

import pathlib

import gradio as gr

from .panels.domains import Domains, add_domains
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text

NOTE = (
    "One generator is given an image and the attributes that it should have. It was trained on images with known "
    "attributes, and never on pairs of one image in two domains."
)


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with all domains of an upload, and sliders between them, of one exported model.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/stargan/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), endpoint_prefix(name)
    model = Domains(runtime)
    details = f"images {shape_text(runtime.image_shape)}, {len(model.names)} attributes"
    with model_demo(runtime, details, NOTE) as demo:
        add_domains(model, prefix)
    return demo
