"""Uploaded images: any size and mode in, the model's size and channels out."""

import pathlib

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime
from keras_gen.runtime.images import decode_image, scale_image
from keras_gen.runtime.resize import fit_image

from .errors import complaint

RULE = (
    "An upload is turned upright, laid on white where it is transparent, scaled until it covers the model's size, cut "
    "to its middle, and turned to gray or color."
)
HELP = "it may be damaged or another kind of file. Upload a PNG, JPEG or WebP"


def upload(label: str) -> gr.Image:
    """A field for an image; its handler gets the path of the file as it was uploaded, to be read by `read_image`."""
    options = {"sources": ["upload", "clipboard"], "type": "filepath", "format": "png", "buttons": []}
    field = gr.Image(label=label, height=280, elem_classes=["titled", "upload"], **options)
    # gradio's own would open the file, and a bad one would end in an error without a message
    field.preprocess = lambda payload: None if payload is None else payload.path
    return field


def invert_field(image_shape: tuple[int, int, int]) -> gr.Checkbox:
    """Whether to turn black to white, for gray models: digits are light on dark there, and dark on light on paper."""
    return gr.Checkbox(label="Invert: dark on light to light on dark", visible=image_shape[2] == 1)


def read_image(
    path: str | None, model: Runtime, invert: bool = False, image_shape: tuple[int, int, int] | None = None
) -> np.ndarray:
    """An image file as the model takes it: by `RULE`, and scaled as its training data was.

    Args:
        path: the file, of one of the runtime's `IMAGE_FORMATS`; its content decides, not its name.
        model: the exported model, whose `preprocessing` is that of its training data.
        invert: turn black to white and the reverse.
        image_shape: (height, width, channels); default the model's.

    Returns:
        float32 [height, width, channels] in [0, 1].

    Raises:
        gr.Error: without a file, or with one that cannot be read, has more than 50 million pixels by its header, or
            numbers outside of the training data's range.
    """
    if path is None:
        raise complaint("There is no image yet: upload one first")
    name, shape, reading = pathlib.Path(path).name, image_shape or model.image_shape, dict(model.preprocessing)
    value_range = reading.pop("value_range", None)
    try:
        image = decode_image(path, shape[:2])
    except (ValueError, OSError) as error:
        if error.__cause__ is None:
            raise complaint(str(error).replace(path, name)) from error
        # what a damaged file holds is not repeated
        raise complaint(f"{name} cannot be read as an image ({type(error.__cause__).__name__}): {HELP}") from error
    shown = _before_it_was_enlarged(image, shape)
    try:
        # pictures that were shown here have 8 bits, whatever the range of the training data
        image = scale_image(image, value_range) if shown is None else shown
        array = fit_image(image, shape, **reading)
    except ValueError as error:
        raise complaint(f"{name}: {error}") from error
    return 1 - array if invert else array


def _before_it_was_enlarged(image: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray | None:
    """A picture in the model's size that was enlarged to be shown here, as it was; None for others."""
    height, width = shape[:2]
    factor = image.shape[1] // width
    if image.dtype == np.uint8 and factor > 1 and image.shape[:2] == (height * factor, width * factor):
        small = image[::factor, ::factor]
        if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), image):
            return small
    return None
