"""Generated images for upload fields, so that visitors can try a demo without uploading a file."""

from collections.abc import Sequence

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import label_argument
from .errors import show_errors
from .image_components import display_image
from .samples import LARGEST_SEED


def add_generated(
    model: Runtime, fields: Sequence[gr.Image], invert: gr.Checkbox, label: gr.Dropdown | gr.State, api_name: str
) -> gr.events.Dependency:
    """Adds a button that puts newly generated images into upload fields.

    Args:
        model: Model with an endpoint `generate`.
        fields: The upload fields, from `upload`.
        invert: Their `invert_field`, which the button clears.
        label: The field of the class, from `class_field`.
        api_name: Name of the endpoint in the API.

    Returns:
        The button's event, after which other handlers can run.
    """

    def generate(label):
        seed = int(np.random.default_rng().integers(LARGEST_SEED + 1))
        images = [
            display_image(image) for image in model.generate(len(fields), seed, **label_argument(label, len(fields)))
        ]
        return *images, False

    button = gr.Button("Use a generated image" if len(fields) == 1 else "Use generated images")
    return button.click(show_errors(generate), label, [*fields, invert], api_name=api_name)
