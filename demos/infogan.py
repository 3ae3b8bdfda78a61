"""The demo of InfoGAN: the category and the codes that it found, to be set by hand, and read off an image."""

import pathlib

import gradio as gr

from .panels.categories import Categories
from .panels.guess import add_guess
from .panels.infogan_codes import add_codes
from .panels.limits import open_model
from .panels.samples import add_samples


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Codes, samples and the guess of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/infogan/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), f"{name}_" if name else ""
    model, told = Categories(runtime), runtime.description
    shape = " x ".join(map(str, model.image_shape))
    size = told["files"][runtime.precision]["bytes"] / 1e3
    codes = model.signatures["generate"]["inputs"]["code"]["shape"][0]
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}, {model.count} categories and {codes} codes in [-1, 1], one file of "
            f"{size:.0f} kB ({runtime.precision}). The generator was trained so that its category and codes can be "
            "read off its images; what they mean it found without labels."
        )
        with gr.Tabs():
            if codes:
                with gr.Tab("Codes"):
                    add_codes(demo, model, prefix)
            with gr.Tab("Samples"):
                add_samples(demo, model, prefix)
            with gr.Tab("Guess"):
                add_guess(model, prefix)
    return demo
