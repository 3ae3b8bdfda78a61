"""Images of a model as pictures that can be seen: small ones are enlarged, and their pixels stay sharp."""

import gradio as gr
import numpy as np
from PIL import Image

from keras_gen import pictures

ONE, MANY = 320, 760  # pixels that a single image and a sheet of images should have, about


def view(label: str, alt_text: str, **options) -> gr.Image:
    """A field that shows a picture, with a text for those who cannot see it."""
    options = {"height": 320, "buttons": ["download", "fullscreen"], "show_label": True, **options}
    options["elem_classes"] = ["titled"] if options["show_label"] else []  # the title stands above the picture
    return gr.Image(label=label, alt_text=alt_text, interactive=False, format="png", **options)


def action(text: str) -> gr.Button:
    """A button beside fields, at the foot of their row."""
    return gr.Button(text, variant="primary", scale=0, min_width=160, elem_classes="action")


def single(image: np.ndarray) -> np.ndarray:
    """One image [height, width, 1 or 3] in [0, 1] -> uint8 RGB, enlarged by a whole number to about `ONE` pixels."""
    image = _rgb(pictures.to_uint8(image))
    factor = max(1, ONE // max(image.shape[:2]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def sheet(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Images [num, height, width, 1 or 3] in [0, 1] as a grid -> uint8 RGB, about `MANY` pixels wide.

    Small images are enlarged by a whole number; where the grid is wider than twice `MANY` it is scaled down.
    """
    columns = min(len(images), columns or int(np.ceil(np.sqrt(len(images)))))
    factor = min(max(1, round(MANY / (columns * images.shape[2]))), max(1, ONE // max(images.shape[1:3])))
    picture = _rgb(pictures.grid(images, columns, pad=pad, scale=factor))
    if picture.shape[1] <= 2 * MANY:
        return picture
    size = (MANY, round(picture.shape[0] * MANY / picture.shape[1]))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _rgb(picture: np.ndarray) -> np.ndarray:
    return np.broadcast_to(picture, (*picture.shape[:2], 3)) if picture.shape[-1] == 1 else picture
