"""Uploaded images: any size and mode in, the model's size and channels out."""

import pathlib

import gradio as gr
import numpy as np
from PIL import Image, ImageOps

from keras_gen.export.runtime import IMAGE_FORMATS, MAX_PIXELS

from .errors import complaint

RULE = (
    "An upload is turned upright, laid on white where it is transparent, scaled until it covers the model's size, cut "
    "to its middle, and turned to gray or colour."
)
FORMATS = (*IMAGE_FORMATS, "GIF")
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


def read_image(path: str | None, image_shape: tuple[int, int, int], invert: bool = False) -> np.ndarray:
    """An image file as the model takes it, by `RULE`.

    Args:
        path: the file, of one of `FORMATS`; of a GIF the first frame counts. Its content decides, not its name.
        image_shape: (height, width, 1 or 3).
        invert: turn black to white and the reverse.

    Returns:
        float32 [height, width, channels] in [0, 1].

    Raises:
        gr.Error: without a file, or with one that cannot be read or has more than 50 million pixels by its header.
    """
    if path is None:
        raise complaint("There is no image yet: upload one first")
    name = pathlib.Path(path).name
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                pixels = f"{image.width} x {image.height} pixels"
                raise complaint(f"{name} has {pixels}; at most {MAX_PIXELS // 10**6} million are taken")
            image.load()
            image = ImageOps.exif_transpose(image)
    except gr.Error:
        raise
    except Exception as error:  # of a damaged file Pillow raises OSError, SyntaxError, struct.error, ...
        raise complaint(f"{name} cannot be read as an image ({type(error).__name__}): {HELP}") from error
    height, width, channels = image_shape
    image = _on_white(_in_eight_bits(image)).convert("L" if channels == 1 else "RGB")
    array = _fit(image, width, height).reshape(height, width, channels).astype(np.float32) / 255
    return 1 - array if invert else array


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit gray; convert() would clip it at 255
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _fit(image: Image.Image, width: int, height: int) -> np.ndarray:
    """Cover the size and cut the middle; a picture that was enlarged to be shown here comes back as it was."""
    array = np.asarray(image)
    factor = image.width // width
    if factor > 1 and image.size == (width * factor, height * factor):
        small = array[::factor, ::factor]
        if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), array):
            return small
    return np.asarray(ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC))
