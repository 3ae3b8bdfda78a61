"""Generated images for fields that take uploads, so that a demo can be tried without a file at hand."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import told
from .errors import explained
from .samples import LARGEST_SEED
from .views import single


def add_generated(model: Runtime, fields: list[gr.Image], invert: gr.Checkbox, label, api_name: str):
    """A button that puts newly generated images into upload fields.

    Args:
        model: with an endpoint `generate`.
        fields: to be filled, from `upload`.
        invert: their `invert_field`, which is cleared.
        label: the field of the class, from `class_field`.
        api_name: the endpoint's name in the API.

    Returns:
        Its event, for what is to follow.
    """

    def generated(label):
        seed = int(np.random.default_rng().integers(LARGEST_SEED + 1))
        images = [single(image) for image in model.generate(len(fields), seed, **told(label, len(fields)))]
        return *images, False

    button = gr.Button("Use a generated image" if len(fields) == 1 else "Use generated images")
    return button.click(explained(generated), label, [*fields, invert], api_name=api_name)
