"""What the demos of all models share: the title line, shapes as text and the prefix of the endpoints."""

import contextlib
from collections.abc import Iterator, Sequence

import gradio as gr

from keras_gen.runtime import Runtime


def endpoint_prefix(name: str) -> str:
    """Returns the prefix of a demo's endpoints in the API: the demo's name and an underscore, or nothing."""
    return f"{name}_" if name else ""


def shape_text(shape: Sequence[int]) -> str:
    """Returns a shape as text, such as `28 x 28 x 1`."""
    return " x ".join(map(str, shape))


@contextlib.contextmanager
def model_demo(model: Runtime, details: str, note: str = "") -> Iterator[gr.Blocks]:
    """Opens the Blocks of a model's demo, which start with its title, details and file size.

    Args:
        model: The exported model.
        details: What the model takes and returns, in a few words.
        note: Sentences about the model.

    Yields:
        The Blocks, to which the demo adds its panels.
    """
    title = model.description["title"]
    kilobytes = model.description["files"][model.precision]["bytes"] / 1e3
    with gr.Blocks(title=title, analytics_enabled=False) as demo:
        gr.Markdown(f"**{title}**, {details}, one file of {kilobytes:.0f} kB ({model.precision}). {note}")
        yield demo
