"""Shuffled tiles of an image, some of them left out, which the model puts at their positions and completes."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import require, show_errors
from .image_components import display_image, image_grid, image_output
from .patch_puzzle import random_drawing
from .samples import seed_field
from .uploads import RULE, invert_field, read_image, upload

TOLERANCE = 1e-4  # different 8-bit images differ by at least 1 / 255


def split_tiles(image: np.ndarray, grid_size: int) -> np.ndarray:
    """Returns the tiles of an image, row by row, [grid_size * grid_size, height, width, channels] of a tile."""
    height, width, channels = image.shape
    tiles = image.reshape(grid_size, height // grid_size, grid_size, width // grid_size, channels)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(
        grid_size * grid_size, height // grid_size, width // grid_size, channels
    )


def join_tiles(tiles: np.ndarray, grid_size: int) -> np.ndarray:
    """Returns the image of tiles: the inverse of `split_tiles`."""
    height, width, channels = tiles.shape[1:]
    return tiles.reshape(grid_size, grid_size, height, width, channels).transpose(0, 2, 1, 3, 4).reshape(
        grid_size * height, grid_size * width, channels
    )  # fmt: skip


def count_correct(tiles: np.ndarray, whole: np.ndarray, positions: np.ndarray) -> str:
    """Returns the number of tiles [count, ...] at positions with the same pixels in the whole image, as text."""
    correct = int((np.abs(tiles - whole[positions]).max((1, 2, 3)) < TOLERANCE).sum())
    solved = ": solved" if correct == len(tiles) else ""
    return f"{correct} of {len(tiles)} tiles are in their positions{solved}"


def add_tile_puzzle(model: Runtime, prefix: str = "") -> None:
    """Adds an upload, the number of missing tiles, their order and the restored image; endpoints `sample`, `solve`.

    Args:
        model: Model with an endpoint `restore` that takes `tiles`.
        prefix: Prefix of the endpoints' names in the API.
    """
    count = model.signatures["restore"]["inputs"]["tiles"]["shape"][0]
    grid_size = round(count**0.5)

    def solve(path, invert, missing, seed):
        image = read_image(path, model, invert)
        whole = split_tiles(image, grid_size)
        seed = int(require(seed, "Seed"))
        input_tiles = whole[np.random.default_rng(seed).permutation(count)][: count - int(missing)]
        outputs = model.solve(input_tiles[None], seed=seed)
        positions = outputs["positions"][0]
        pasted = split_tiles(outputs["image"][0], grid_size).copy()
        pasted[positions] = input_tiles
        return (
            image_grid(input_tiles, columns=grid_size),
            display_image(join_tiles(pasted, grid_size)),
            display_image(outputs["image"][0]),
            count_correct(input_tiles, whole, positions),
        )

    gr.Markdown(
        f"The image is cut into {grid_size} x {grid_size} tiles, which the model receives in a random order. Identical "
        f"tiles are interchangeable. {RULE}"
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            path, invert = upload("Image"), invert_field(model.image_shape)
            sample = gr.Button("Use a sample")
            missing = gr.Slider(0, count - 1, value=0, step=1, label="Tiles to leave out")
            seed = seed_field()
            button = gr.Button("Shuffle and solve", variant="primary")
            result = gr.Textbox(label="Result", interactive=False)
        with gr.Column(scale=3, min_width=300), gr.Row():
            images = [
                image_output("Model input", "The tiles in their random order", min_width=200),
                image_output("Assembled", "The tiles in their predicted positions; gaps are generated", min_width=200),
                image_output(
                    "Generated", "The image that the model generates from all tiles and the noise", min_width=200
                ),
            ]
    io = show_errors(solve), [path, invert, missing, seed], [*images, result]
    events = [path.upload, invert.input, missing.release, seed.submit, button.click]
    gr.on(events, *io, api_name=f"{prefix}solve")
    sample.click(random_drawing(model), None, path, api_name=f"{prefix}sample").success(*io, api_visibility="private")
