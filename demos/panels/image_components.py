"""Components that show a model's images: small images are enlarged by a whole number, so that pixels stay sharp."""

import gradio as gr
import numpy as np
from PIL import Image

from keras_gen import pictures

IMAGE_PIXELS, GRID_PIXELS = 320, 760  # approximate width of a single image and of a grid


def image_output(
    label: str,
    alt_text: str,
    *,
    height: int = 320,
    min_width: int = 160,
    show_label: bool = True,
    fullscreen: bool = True,
    visible: bool = True,
) -> gr.Image:
    """Returns a component that shows an image.

    Args:
        label: Title of the image.
        alt_text: Description of the image for screen readers.
        height: Height in pixels.
        min_width: Smallest width in pixels.
        show_label: Whether to show the title above the image.
        fullscreen: Whether to show a button that enlarges the image to the whole screen.
        visible: Whether to show the component.
    """
    return gr.Image(
        label=label,
        alt_text=alt_text,
        height=height,
        min_width=min_width,
        show_label=show_label,
        visible=visible,
        interactive=False,
        format="png",
        buttons=["download", "fullscreen"] if fullscreen else ["download"],
        elem_classes=["titled"] if show_label else [],  # CSS that leaves space for the title above the image
    )


def action_button(text: str) -> gr.Button:
    """Returns a button for the end of a row of fields, aligned to the row's bottom."""
    return gr.Button(text, variant="primary", scale=0, min_width=160, elem_classes="action")


def display_image(image: np.ndarray) -> np.ndarray:
    """Returns an image [height, width, 1 or 3] in [0, 1] as uint8 RGB, enlarged to about `IMAGE_PIXELS` pixels."""
    image = _rgb(pictures.to_uint8(image))
    factor = max(1, IMAGE_PIXELS // max(image.shape[:2]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def image_grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Returns images as a grid, uint8 RGB, about `GRID_PIXELS` pixels wide.

    Small images are enlarged by a whole number; a grid wider than twice `GRID_PIXELS` is scaled down.

    Args:
        images: [num, height, width, 1 or 3] in [0, 1].
        columns: Number of columns; None for a square grid.
        pad: Pixels between images.
    """
    columns = min(len(images), columns or int(np.ceil(np.sqrt(len(images)))))
    factor = min(
        max(1, round(GRID_PIXELS / (columns * images.shape[2]))), max(1, IMAGE_PIXELS // max(images.shape[1:3]))
    )
    picture = _rgb(pictures.grid(images, columns, pad=pad, scale=factor))
    if picture.shape[1] <= 2 * GRID_PIXELS:
        return picture
    size = (GRID_PIXELS, round(picture.shape[0] * GRID_PIXELS / picture.shape[1]))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _rgb(picture: np.ndarray) -> np.ndarray:
    return np.broadcast_to(picture, (*picture.shape[:2], 3)) if picture.shape[-1] == 1 else picture
