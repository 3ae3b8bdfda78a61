"""Cut an image into tiles, shuffle them, leave some out, and let the model put them together again."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import explained, given
from .patch_puzzle import sampling
from .samples import seed_field
from .uploads import RULE, invert_field, read_image, upload
from .views import sheet, single, view

ALIKE = 1e-4  # 8-bit images differ by 1 / 255 at least


def tiles_of(image: np.ndarray, side: int) -> np.ndarray:
    """The tiles of an image, row by row: [side * side, height / side, width / side, channels]."""
    height, width, channels = image.shape
    tiles = image.reshape(side, height // side, side, width // side, channels)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(side * side, height // side, width // side, channels)


def joined(tiles: np.ndarray, side: int) -> np.ndarray:
    """The reverse of `tiles_of`."""
    height, width, channels = tiles.shape[1:]
    return tiles.reshape(side, side, height, width, channels).transpose(0, 2, 1, 3, 4).reshape(
        side * height, side * width, channels
    )  # fmt: skip


def verdict(tiles: np.ndarray, whole: np.ndarray, places: np.ndarray) -> str:
    """How many tiles [count, ...] are at a place where the same pixels belong, as text."""
    right = int((np.abs(tiles - whole[places]).max((1, 2, 3)) < ALIKE).sum())
    solved = ": solved" if right == len(tiles) else ""
    return f"{right} of {len(tiles)} tiles are at their places{solved}"


def add_tile_puzzle(model: Runtime, prefix: str = "") -> None:
    """Upload, how many tiles are missing, the order; the restored image; endpoints `sample`, `solve`.

    Args:
        model: with an endpoint `restore` that takes `tiles`.
        prefix: of the endpoints' names in the API.
    """
    count = model.signatures["restore"]["inputs"]["tiles"]["shape"][0]
    side = round(count**0.5)

    def solve(path, invert, missing, seed):
        image = read_image(path, model, invert)
        whole = tiles_of(image, side)
        seed = int(given(seed, "Seed"))
        given_tiles = whole[np.random.default_rng(seed).permutation(count)][: count - int(missing)]
        made = model.solve(given_tiles[None], seed=seed)
        places = made["places"][0]
        pasted = tiles_of(made["image"][0], side).copy()
        pasted[places] = given_tiles
        return (
            sheet(given_tiles, columns=side),
            single(joined(pasted, side)),
            single(made["image"][0]),
            verdict(given_tiles, whole, places),
        )

    gr.Markdown(
        f"The image is cut into {side} x {side} tiles, which the model gets in a random order. Tiles that are the same "
        f"pixel by pixel may take each other's places. {RULE}"
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
            shown = [
                view("What the model gets", "The tiles in their random order", min_width=200),
                view("Put together", "The tiles at the places they were given; gaps are painted", min_width=200),
                view("Painted", "What the model paints of all tiles and the noise", min_width=200),
            ]
    io = explained(solve), [path, invert, missing, seed], [*shown, result]
    events = [path.upload, invert.input, missing.release, seed.submit, button.click]
    gr.on(events, *io, api_name=f"{prefix}solve")
    sample.click(sampling(model), None, path, api_name=f"{prefix}sample").success(*io, api_visibility="private")
