"""The demo of text to image: a caption is drawn, and turns into another."""

import pathlib

import gradio as gr

from .panels.caption_walk import add_caption_walk
from .panels.captions import add_captions
from .panels.limits import open_model


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Samples of a caption with the words that are not known, and the way between two captions, of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/text2image/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), f"{name}_" if name else ""
    told = model.description
    shape = " x ".join(map(str, model.image_shape))
    size = told["files"][model.precision]["bytes"] / 1e3
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}, one file of {size:.0f} kB ({model.precision}), "
            f"{len(told['text']['vocabulary']):,} known words, captions of up to {told['text']['length']} words. The "
            "text becomes a code; a generator learned to draw images that a discriminator could not tell from real "
            "ones with this caption."
        )
        with gr.Tabs():
            with gr.Tab("Caption"):
                add_captions(demo, model, prefix)
            with gr.Tab("From caption to caption"):
                add_caption_walk(demo, model, prefix)
    return demo
