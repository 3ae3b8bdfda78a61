"""Watch a run grow: the pictures that its training writes, epoch by epoch."""

import pathlib

import gradio as gr
import numpy as np
from PIL import Image

from .errors import complaint, explained
from .views import view

EVERY = 5  # seconds between two looks at the directory


def written(folder: pathlib.Path) -> list[pathlib.Path]:
    """The pictures of the epochs so far, in order."""
    return sorted(folder.glob("epoch_*.png"))


def add_growth(demo: gr.Blocks, folder: pathlib.Path, prefix: str = "") -> None:
    """A slider over the epochs, and a box that follows the training; endpoint `growth`.

    Args:
        demo: the Blocks that this stands in.
        folder: the `samples/` of a run directory, which may still be written to.
        prefix: of the endpoint's name in the API.
    """

    def growth(epoch):
        files = written(folder)
        if not files:
            raise complaint(f"{folder} holds no picture yet: one is written after every epoch")
        with Image.open(files[min(int(epoch), len(files)) - 1], formats=("PNG",)) as picture:
            return np.asarray(picture.convert("RGB"))

    def newest(following):
        if not following:
            return gr.skip(), gr.skip()
        count = len(written(folder))
        return gr.Slider(value=count, maximum=max(2, count)), growth(count)

    count = len(written(folder))
    gr.Markdown("What the generator made after each epoch, of the same noise; in a fade-in, at the stage before.")
    with gr.Row():
        epoch = gr.Slider(1, max(2, count), value=count, step=1, label="Epoch", min_width=260)
        following = gr.Checkbox(True, label="Follow the training")
    shown = view("After this epoch", "The picture that the training wrote after this epoch", height=560)
    gr.on([demo.load, epoch.input], explained(growth), epoch, shown, api_name=f"{prefix}growth")
    gr.Timer(EVERY).tick(explained(newest), following, [epoch, shown], show_progress="hidden", api_visibility="private")
    epoch.input(lambda: False, None, following, show_progress="hidden", api_visibility="private")
