"""The demo of models that generate images from noise and have no encoder, such as a GAN."""

import pathlib

import gradio as gr

from .panels.conditions import classes
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text
from .panels.samples import add_samples
from .panels.seeds import add_seed_interpolation


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with samples, truncation and interpolation between two seeds of one exported model.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/dcgan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), endpoint_prefix(name)
    count = len(classes(model, "generate"))
    details = f"images {shape_text(model.image_shape)}" + (f" of {count} classes to choose from" if count else "")
    with model_demo(model, details, "The generator turns noise into images.") as demo, gr.Tabs():
        with gr.Tab("Samples"):
            add_samples(demo, model, prefix, truncate=True)
        with gr.Tab("Interpolate"):
            add_seed_interpolation(demo, model, prefix)
    return demo
