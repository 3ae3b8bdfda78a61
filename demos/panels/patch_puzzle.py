"""Patches of an image that the visitor selects, and the image and mask that the model restores from them."""

from collections.abc import Callable

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .drawings import NAMES, draw
from .errors import require, show_errors
from .image_components import display_image, image_grid, image_output
from .patch_positions import cut_patches, format_positions, framed, key_positions, nearest_inside, read_positions
from .samples import LARGEST_SEED, seed_field
from .uploads import RULE, invert_field, read_image, upload

NOTE = (
    "The model receives only the patches, without their positions and in any order. Click on the image to select a "
    "patch, or enter rows and columns; then restore."
)


def add_patch_puzzle(model: Runtime, prefix: str = "") -> None:
    """Adds an upload, its patches, the restored image and the mask.

    Endpoints `sample`, `choose`, `drop`, `shuffle` and `restore`.

    Args:
        model: Model with an endpoint `restore` that takes `patches`.
        prefix: Prefix of the endpoints' names in the API.
    """
    ports = model.signatures["restore"]["inputs"]
    max_patches, *patch_shape = ports["patches"]["shape"]
    size, image_size = (patch_shape[0], patch_shape[1]), model.image_shape[:2]
    default_patches = min(3, max_patches)
    with_mask = "mask" in model.signatures["restore"]["outputs"]

    def framed_image(path, invert, text):
        image = read_image(path, model, invert)
        positions = read_positions(text, image_size, size, max_patches) if text and text.strip() else []
        return display_image(framed(image, positions, size))

    def choose(path, invert):
        image = read_image(path, model, invert)
        positions = key_positions(image, default_patches, size)
        return format_positions(positions), display_image(framed(image, positions, size))

    def click(path, invert, text, event: gr.SelectData):
        image = read_image(path, model, invert)
        factor = display_image(image).shape[0] // image.shape[0]
        column, row = (int(pixel) // factor for pixel in event.index)
        previous = read_positions(text, image_size, size, max_patches) if text and text.strip() else []
        positions = [*previous, nearest_inside((row, column), image_size, size)]
        text = format_positions(positions)
        read_positions(text, image_size, size, max_patches)  # raises an error if there are too many
        return text, display_image(framed(image, positions, size))

    def drop(path, invert, text):
        positions = read_positions(text, image_size, size, max_patches)[:-1]
        return format_positions(positions), framed_image(path, invert, format_positions(positions))

    def remove_all(path, invert):
        return "", framed_image(path, invert, "")

    def shuffle(text):
        positions = read_positions(text, image_size, size, max_patches)
        order = np.random.default_rng().permutation(len(positions))
        return format_positions([positions[index] for index in order])

    def restore(path, invert, text, seed):
        image = read_image(path, model, invert)
        positions = read_positions(text, image_size, size, max_patches)
        patches = cut_patches(image, positions, size)
        missing = max_patches - len(patches)
        inputs = {
            "patches": np.pad(patches, [(0, missing), *[(0, 0)] * 3])[None],
            "presence": (np.arange(max_patches) < len(patches))[None],
            **model.noise(1, int(require(seed, "Seed"))),
        }
        outputs = model.run("restore", **inputs)
        images = [
            display_image(framed(image, positions, size)),
            image_grid(patches, columns=len(patches)),
            display_image(outputs["image"][0]),
        ]
        return [*images, display_image(outputs["mask"][0])] if with_mask else images

    gr.Markdown(f"{NOTE} {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            path, invert = upload("Image"), invert_field(model.image_shape)
            sample = gr.Button("Use a sample")
            text = gr.Textbox(label="Patches: row, column of each center (Enter)", placeholder="12, 20; 30, 8")
            with gr.Row():
                choosing, dropping = gr.Button("Select automatically"), gr.Button("Remove the last")
                shuffling, clearing = gr.Button("Shuffle"), gr.Button("Remove all")
            seed = seed_field()
            button = gr.Button("Restore", variant="primary")
        with gr.Column(scale=3, min_width=300):
            with gr.Row():
                picture = image_output(
                    "Click to select a patch", "The image with a frame around each patch", min_width=200
                )
                restored = image_output("Restored", "The image that the model restores from the patches", min_width=200)
                mask = image_output(
                    "Mask", "The region that the model assigns to the patches", min_width=200, visible=with_mask
                )
            strip = image_output("Model input", "The patches side by side", height=160)
    selected = [path, invert, text]
    selection = show_errors(choose), [path, invert], [text, picture]
    restoration = show_errors(restore), [*selected, seed], [picture, strip, restored, *([mask] if with_mask else [])]
    gr.on([path.upload, invert.input, choosing.click], *selection, api_name=f"{prefix}choose").success(
        *restoration, api_visibility="private"
    )
    sample.click(random_drawing(model), None, path, api_name=f"{prefix}sample").success(
        *selection, api_visibility="private"
    ).success(*restoration, api_visibility="private")
    picture.select(show_errors(click), selected, [text, picture], api_visibility="private")
    dropping.click(show_errors(drop), selected, [text, picture], api_name=f"{prefix}drop")
    clearing.click(show_errors(remove_all), [path, invert], [text, picture], api_visibility="private")
    shuffling.click(show_errors(shuffle), text, text, api_name=f"{prefix}shuffle").success(
        *restoration, api_visibility="private"
    )
    gr.on([button.click, text.submit, seed.submit], *restoration, api_name=f"{prefix}restore")


def random_drawing(model: Runtime) -> Callable[[], np.ndarray]:
    """Returns a handler that returns a random drawing."""

    def sample():
        number = int(np.random.default_rng().integers(LARGEST_SEED))
        return display_image(draw(NAMES[number % len(NAMES)], model.image_shape, number // len(NAMES)))

    return sample
