"""Uploaded images of any size and mode, converted to the model's size and channels."""

import pathlib

import gradio as gr
import numpy as np

from keras_gen.runtime import image_file
from keras_gen.runtime.images import scale_image
from keras_gen.runtime.resize import fit_image

from .errors import user_error
from .protocols import ImageReader

RULE = (
    "An upload is rotated upright, placed on white if it is transparent, scaled to cover the model's size, cropped to "
    "its center, and converted to gray or color."
)
HELP = "Upload a PNG, JPEG or WebP"


def upload(label: str) -> gr.Image:
    """Returns a field for an image; its handler gets the path of the uploaded file, see `read_image`."""
    field = gr.Image(
        label=label,
        height=280,
        elem_classes=["titled", "upload"],
        sources=["upload", "clipboard"],
        type="filepath",
        format="png",
        buttons=[],
    )
    # gradio's own method opens the file, and a damaged file would end in an error without a message
    setattr(field, "preprocess", lambda payload: None if payload is None else payload.path)  # noqa: B010
    return field


def invert_field(image_shape: tuple[int, int, int]) -> gr.Checkbox:
    """Returns a checkbox that inverts black and white; visible for gray models, whose digits are light on dark."""
    return gr.Checkbox(label="Invert: dark on light to light on dark", visible=image_shape[2] == 1)


def read_image(
    path: str | None, model: ImageReader, invert: bool = False, image_shape: tuple[int, int, int] | None = None
) -> np.ndarray:
    """Reads an image file as the model takes it: see `RULE`, and scaled as its training data was.

    Args:
        path: The file, in one of the formats `image_file.FORMATS`, which its content determines, not its name.
        model: The exported model, with the `preprocessing` of its training data.
        invert: Whether to invert black and white.
        image_shape: (height, width, channels); None for the model's.

    Returns:
        float32 [height, width, channels] in [0, 1].

    Raises:
        gr.Error: If there is no file, or the file cannot be read, has more than 50 million pixels according to its
            header, or has values outside the training data's range.
    """
    if path is None:
        raise user_error("There is no image yet: upload one first")
    name, shape, preprocessing = pathlib.Path(path).name, image_shape or model.image_shape, dict(model.preprocessing)
    value_range = preprocessing.pop("value_range", None)
    try:
        image = image_file.read_image(path, shape[:2])
    except image_file.UnreadableImage as error:
        raise user_error(f"{name} cannot be read as an image: {error.reason}. {HELP}") from error
    original = _undo_enlargement(image, shape)
    try:
        # images saved from the app have 8 bits, whatever the range of the training data
        image = scale_image(image, value_range) if original is None else original
        array = fit_image(image, shape, **preprocessing)
    except ValueError as error:
        raise user_error(f"{name}: {error}") from error
    return 1 - array if invert else array


def _undo_enlargement(image: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Returns the original of an image that the app had enlarged from the model's size; None for other images."""
    height, width = shape[:2]
    factor = image.shape[1] // width
    if image.dtype == np.uint8 and factor > 1 and image.shape[:2] == (height * factor, width * factor):
        small = image[::factor, ::factor]
        if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), image):
            return small
    return None
