"""The demo of Puzzle-GAN: patches without positions, or shuffled tiles, become a whole image again."""

import pathlib

import gradio as gr

from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text
from .panels.patch_puzzle import add_patch_puzzle
from .panels.tile_puzzle import add_tile_puzzle

NOTE = "The generator learned to place the pieces and to complete the rest of the image."


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with the puzzle of one exported model, of patches or of tiles.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/puzzlegan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), endpoint_prefix(name)
    inputs = model.signatures["restore"]["inputs"]
    if "tiles" in inputs:
        pieces, add_puzzle = f"{inputs['tiles']['shape'][0]} tiles in unknown order", add_tile_puzzle
    else:
        count, height, width, *_ = inputs["patches"]["shape"]
        pieces, add_puzzle = f"up to {count} patches of {height} x {width} pixels", add_patch_puzzle
    with model_demo(model, f"images {shape_text(model.image_shape)} of {pieces}", NOTE) as demo:
        add_puzzle(model, prefix)
    return demo
