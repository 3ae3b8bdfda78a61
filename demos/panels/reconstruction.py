"""Reconstruct an upload: what the model sees, what it makes of its code, and how far apart they are."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import chosen, class_field, told
from .errors import explained
from .generated import add_generated
from .uploads import RULE, invert_field, read_image, upload
from .views import single, view


def error_text(image: np.ndarray, reconstruction: np.ndarray) -> str:
    """Mean squared error and peak signal-to-noise ratio (10 log10(1 / MSE), in dB) of images in [0, 1], as text."""
    error = float(np.mean(np.square(image.astype(np.float64) - reconstruction)))
    ratio = f"{10 * np.log10(1 / error):.1f} dB" if error else "infinite"
    return f"MSE {error:.4f}, PSNR {ratio}"


def add_reconstruction(model: Runtime, prefix: str = "") -> None:
    """A field for an image, what the model sees of it, its reconstruction, the difference; endpoint `reconstruct`.

    Args:
        model: with an endpoint `reconstruct`.
        prefix: of the endpoint's name in the API.
    """

    def reconstruct(path, invert, label):
        image = read_image(path, model, invert)
        made = model.reconstruct(image[None], **told(label, 1))[0]
        return single(image), single(made), single(np.abs(image - made)), error_text(image, made)

    gr.Markdown(RULE)
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert, label = invert_field(model.image_shape), class_field(model, "reconstruct")
            button = gr.Button("Reconstruct", variant="primary")
            generated = add_generated(model, [path], invert, label, f"{prefix}generated")
            error = gr.Textbox(label="Error", interactive=False)
        with gr.Column(scale=3, min_width=300), gr.Row():
            shown = [
                view("As the model sees it", "The upload in the model's size", min_width=200),
                view("Reconstruction", "What the model makes of the upload's code", min_width=200),
                view("Difference", "Absolute difference of the two; black is none", min_width=200),
            ]
    io = explained(reconstruct), [path, invert, label], [*shown, error]
    gr.on([button.click, path.upload, invert.input, *chosen(label)], *io, api_name=f"{prefix}reconstruct")
    generated.success(*io, api_visibility="private")
