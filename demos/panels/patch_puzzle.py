"""Pick patches of an image, drop or shuffle them, and see the whole image and the mask that the model makes of them."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .drawn import NAMES, drawn
from .errors import explained, given
from .patch_places import cut_patches, framed, key_places, nearest_inside, read_places, written
from .samples import LARGEST_SEED, seed_field
from .uploads import RULE, invert_field, read_image, upload
from .views import sheet, single, view

NOTE = (
    "The model gets the patches alone, without their places and in any order. Click on the picture to pick one, or "
    "write rows and columns; then restore."
)


def add_patch_puzzle(model: Runtime, prefix: str = "") -> None:
    """Upload, patches, restored image, mask; endpoints `sample`, `choose`, `drop`, `shuffle`, `restore`.

    Args:
        model: with an endpoint `restore` that takes `patches`.
        prefix: of the endpoints' names in the API.
    """
    ports = model.signatures["restore"]["inputs"]
    most, *patch_shape = ports["patches"]["shape"]
    size, image_size = tuple(patch_shape[:2]), model.image_shape[:2]
    usual = min(3, most)
    with_mask = "mask" in model.signatures["restore"]["outputs"]

    def seen(path, invert, text):
        image = read_image(path, model, invert)
        places = read_places(text, image_size, size, most) if text and text.strip() else []
        return single(framed(image, places, size))

    def choose(path, invert):
        image = read_image(path, model, invert)
        places = key_places(image, usual, size)
        return written(places), single(framed(image, places, size))

    def click(path, invert, text, event: gr.SelectData):
        image = read_image(path, model, invert)
        factor = single(image).shape[0] // image.shape[0]
        column, row = (int(at) // factor for at in event.index)
        before = read_places(text, image_size, size, most) if text and text.strip() else []
        places = [*before, nearest_inside((row, column), image_size, size)]
        text = written(places)
        read_places(text, image_size, size, most)  # too many
        return text, single(framed(image, places, size))

    def drop(path, invert, text):
        places = read_places(text, image_size, size, most)[:-1]
        return written(places), seen(path, invert, written(places))

    def shuffle(text):
        places = read_places(text, image_size, size, most)
        order = np.random.default_rng().permutation(len(places))
        return written([places[index] for index in order])

    def restore(path, invert, text, seed):
        image = read_image(path, model, invert)
        places = read_places(text, image_size, size, most)
        patches = cut_patches(image, places, size)
        missing = most - len(patches)
        inputs = {
            "patches": np.pad(patches, [(0, missing), *[(0, 0)] * 3])[None],
            "presence": (np.arange(most) < len(patches))[None],
            **model.noise(1, int(given(seed, "Seed"))),
        }
        made = model.run("restore", **inputs)
        shown = [single(framed(image, places, size)), sheet(patches, columns=len(patches)), single(made["image"][0])]
        return [*shown, single(made["mask"][0])] if with_mask else shown

    gr.Markdown(f"{NOTE} {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            path, invert = upload("Image"), invert_field(model.image_shape)
            sample = gr.Button("Use a sample")
            text = gr.Textbox(label="Patches: row, column of each middle (Enter)", placeholder="12, 20; 30, 8")
            with gr.Row():
                choosing, dropping = gr.Button("Choose for me"), gr.Button("Drop the last")
                shuffling, clearing = gr.Button("Shuffle"), gr.Button("Drop all")
            seed = seed_field()
            button = gr.Button("Restore", variant="primary")
        with gr.Column(scale=3, min_width=300):
            with gr.Row():
                picture = view("Click to pick a patch", "The image with a frame around each patch", min_width=200)
                restored = view("Restored", "What the model makes of the patches", min_width=200)
                mask = view("Mask", "Where the model thinks the patches belong", min_width=200, visible=with_mask)
            strip = view("What the model gets", "The patches side by side", height=160)
    where = [path, invert, text]
    chosen = explained(choose), [path, invert], [text, picture]
    made = explained(restore), [*where, seed], [picture, strip, restored, *([mask] if with_mask else [])]
    gr.on([path.upload, invert.input, choosing.click], *chosen, api_name=f"{prefix}choose").success(
        *made, api_visibility="private"
    )
    sample.click(sampling(model), None, path, api_name=f"{prefix}sample").success(
        *chosen, api_visibility="private"
    ).success(*made, api_visibility="private")
    picture.select(explained(click), where, [text, picture], api_visibility="private")
    dropping.click(explained(drop), where, [text, picture], api_name=f"{prefix}drop")
    clearing.click(explained(lambda path, invert: ("", seen(path, invert, ""))), [path, invert], [text, picture],
                   api_visibility="private")  # fmt: skip
    shuffling.click(explained(shuffle), text, text, api_name=f"{prefix}shuffle").success(
        *made, api_visibility="private"
    )
    gr.on([button.click, text.submit, seed.submit], *made, api_name=f"{prefix}restore")


def sampling(model: Runtime):
    """A handler that draws a picture."""

    def sample():
        number = int(np.random.default_rng().integers(LARGEST_SEED))
        return single(drawn(NAMES[number % len(NAMES)], model.image_shape, number // len(NAMES)))

    return sample
