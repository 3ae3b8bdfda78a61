"""The progress of a training run: the sample pictures that it writes after every epoch."""

import pathlib

import gradio as gr
import numpy as np
from PIL import Image

from .errors import show_errors, user_error
from .image_components import image_output

POLLING_SECONDS = 5


def epoch_pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures of the finished epochs, in order."""
    return sorted(folder.glob("epoch_*.png"))


def add_growth(demo: gr.Blocks, folder: pathlib.Path, prefix: str = "") -> None:
    """Adds a slider over the epochs, and a checkbox that shows new epochs as they finish; endpoint `growth`.

    Args:
        demo: The Blocks that contain the panel.
        folder: The directory `samples/` of a run, which may still be in training.
        prefix: Prefix of the endpoint's name in the API.
    """

    def growth(epoch):
        files = epoch_pictures(folder)
        if not files:
            raise user_error(f"Expected a picture in {folder}; received none: training writes one after every epoch")
        with Image.open(files[min(int(epoch), len(files)) - 1], formats=("PNG",)) as picture:
            return np.asarray(picture.convert("RGB"))

    def newest(following):
        if not following:
            return gr.skip(), gr.skip()
        count = len(epoch_pictures(folder))
        return gr.Slider(value=count, maximum=max(2, count)), growth(count)

    count = len(epoch_pictures(folder))
    gr.Markdown("Images of the same noise after each epoch; during a fade-in, at the previous stage.")
    with gr.Row():
        epoch = gr.Slider(1, max(2, count), value=count, step=1, label="Epoch", min_width=260)
        following = gr.Checkbox(True, label="Show new epochs")
    output = image_output("After this epoch", "The sample picture of this epoch", height=560)
    gr.on([demo.load, epoch.input], show_errors(growth), epoch, output, api_name=f"{prefix}growth")
    gr.Timer(POLLING_SECONDS).tick(
        show_errors(newest), following, [epoch, output], show_progress="hidden", api_visibility="private"
    )
    epoch.input(lambda: False, None, following, show_progress="hidden", api_visibility="private")
