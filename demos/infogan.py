"""The demo of InfoGAN: its categories and codes, set by hand or inferred from an image."""

import pathlib

import gradio as gr

from .panels.categories import Categories
from .panels.inference import add_inference
from .panels.infogan_codes import add_codes
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text
from .panels.samples import add_samples

NOTE = (
    "The generator was trained so that its category and codes can be inferred from its images. It learned what they "
    "mean without labels."
)


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with the codes, samples and inference of one exported model.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/infogan/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), endpoint_prefix(name)
    model = Categories(runtime)
    codes = model.signatures["generate"]["inputs"]["code"]["shape"][0]
    details = f"images {shape_text(model.image_shape)}, {model.count} categories and {codes} codes in [-1, 1]"
    with model_demo(runtime, details, NOTE) as demo, gr.Tabs():
        if codes:
            with gr.Tab("Codes"):
                add_codes(demo, model, prefix)
        with gr.Tab("Samples"):
            add_samples(demo, model, prefix)
        with gr.Tab("Infer"):
            add_inference(model, prefix)
    return demo
