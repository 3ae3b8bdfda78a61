"""The demo of Puzzle-GAN: patches without their places, or the tiles of a grid, become a whole image again."""

import pathlib

import gradio as gr

from .panels.limits import open_model
from .panels.patch_puzzle import add_patch_puzzle
from .panels.tile_puzzle import add_tile_puzzle


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """The puzzle of one exported model, of patches or of tiles.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/puzzlegan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), f"{name}_" if name else ""
    told, inputs = model.description, model.signatures["restore"]["inputs"]
    shape = " x ".join(map(str, model.image_shape))
    size = told["files"][model.precision]["bytes"] / 1e3
    if "tiles" in inputs:
        what, add = f"{inputs['tiles']['shape'][0]} tiles in unknown order", add_tile_puzzle
    else:
        count, *patch = inputs["patches"]["shape"]
        what, add = f"up to {count} patches of {patch[0]} x {patch[1]} pixels", add_patch_puzzle
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape} of {what}, one file of {size:.0f} kB ({model.precision}). A "
            "generator learned to see where the pieces belong and what the rest of the image looks like."
        )
        add(model, prefix)
    return demo
