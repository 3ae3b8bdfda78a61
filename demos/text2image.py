"""The demo of text to image: images of a caption, and the transition between two captions."""

import pathlib

import gradio as gr

from .panels.caption_walk import add_caption_walk
from .panels.captions import add_captions
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text

NOTE = "A text encoder turns the caption into an embedding, and the generator turns embedding and noise into an image."


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with samples of a caption, and interpolation between two captions, of one exported model.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/text2image/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), endpoint_prefix(name)
    text = model.description["text"]
    details = (
        f"images {shape_text(model.image_shape)}, {len(text['vocabulary']):,} known words, captions of up to "
        f"{text['length']} words"
    )
    with model_demo(model, details, NOTE) as demo, gr.Tabs():
        with gr.Tab("Caption"):
            add_captions(demo, model, prefix)
        with gr.Tab("Between captions"):
            add_caption_walk(demo, model, prefix)
    return demo
