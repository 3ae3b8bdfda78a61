"""The demo of models that turn noise into images, and encode nothing: GAN and DCGAN."""

import pathlib

import gradio as gr

from .panels.conditions import classes
from .panels.limits import open_model
from .panels.samples import add_samples
from .panels.seeds import add_seed_interpolation


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Samples with truncation, and interpolation between two seeds, of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/dcgan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), f"{name}_" if name else ""
    told = model.description
    shape = " x ".join(map(str, model.image_shape))
    size = told["files"][model.precision]["bytes"] / 1e3
    count = len(classes(model, "generate"))
    conditional = f" of {count} classes to choose from" if count else ""
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}{conditional}, one file of {size:.0f} kB ({model.precision}). A "
            "generator learned to turn noise into images that a discriminator could not tell from real ones; the "
            "discriminator is not needed any more."
        )
        with gr.Tabs():
            with gr.Tab("Samples"):
                add_samples(demo, model, prefix, truncate=True)
            with gr.Tab("Interpolate"):
                add_seed_interpolation(demo, model, prefix)
    return demo
