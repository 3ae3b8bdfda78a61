"""The reconstruction of an upload, and its error."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import class_field, label_argument, selection_events
from .errors import show_errors
from .generated import add_generated
from .image_components import display_image, image_output
from .uploads import RULE, invert_field, read_image, upload


def error_text(image: np.ndarray, reconstruction: np.ndarray) -> str:
    """Returns mean squared error and PSNR (10 log10(1 / MSE), in dB) of images in [0, 1] as text."""
    error = float(np.mean(np.square(image.astype(np.float64) - reconstruction)))
    ratio = f"{10 * np.log10(1 / error):.1f} dB" if error else "infinite"
    return f"MSE {error:.4f}, PSNR {ratio}"


def add_reconstruction(model: Runtime, prefix: str = "") -> None:
    """Adds an upload, its reconstruction and their difference; endpoints `reconstruct` and `generated`.

    Args:
        model: Model with an endpoint `reconstruct`.
        prefix: Prefix of the endpoint's name in the API.
    """

    def reconstruct(path, invert, label):
        image = read_image(path, model, invert)
        output = model.reconstruct(image[None], **label_argument(label, 1))[0]
        return (
            display_image(image),
            display_image(output),
            display_image(np.abs(image - output)),
            error_text(image, output),
        )

    gr.Markdown(RULE)
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert, label = invert_field(model.image_shape), class_field(model, "reconstruct")
            button = gr.Button("Reconstruct", variant="primary")
            generated = add_generated(model, [path], invert, label, f"{prefix}generated")
            error = gr.Textbox(label="Error", interactive=False)
        with gr.Column(scale=3, min_width=300), gr.Row():
            images = [
                image_output("Model input", "The upload at the model's resolution", min_width=200),
                image_output("Reconstruction", "The image decoded from the upload's code", min_width=200),
                image_output("Difference", "Absolute difference of the two; black is zero", min_width=200),
            ]
    io = show_errors(reconstruct), [path, invert, label], [*images, error]
    gr.on([button.click, path.upload, invert.input, *selection_events(label)], *io, api_name=f"{prefix}reconstruct")
    generated.success(*io, api_visibility="private")
