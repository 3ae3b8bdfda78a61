"""The category and codes that a model infers from an upload, and the image that it generates from them."""

import gradio as gr
import numpy as np

from .categories import Categories
from .codes import format_code
from .errors import show_errors
from .generated import add_generated
from .image_components import display_image, image_output
from .probabilities import probabilities_field, to_label_value
from .uploads import RULE, invert_field, read_image, upload


def add_inference(model: Categories, prefix: str = "") -> None:
    """Adds an upload, its inferred category and codes, and an image generated from them; endpoint `infer`.

    Args:
        model: Model with the endpoints `infer` and `generate`.
        prefix: Prefix of the endpoint's name in the API.
    """

    def infer(path, invert):
        image = read_image(path, model.model, invert)
        inferred = model.model.run("infer", image=image[None])
        category = inferred["category"]
        code = np.clip(inferred["code"], -1, 1)  # a mean may lie outside [-1, 1], a code may not
        generated_image = model.generate(1, 0, label=[int(category[0].argmax())], code=code)[0]
        return (
            display_image(image),
            to_label_value(category[0]),
            format_code(inferred["code"][0]),
            display_image(generated_image),
        )

    gr.Markdown(f"The encoder infers the category and codes from which the generator would generate an image. {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Infer", variant="primary")
            generated = add_generated(model.model, [path], invert, gr.State(), f"{prefix}generated")
        with gr.Column(scale=3, min_width=300), gr.Row():
            model_input = image_output("Model input", "The upload at the model's resolution", min_width=200)
            with gr.Column(min_width=220):
                category = probabilities_field("Category", model.count)
                code = gr.Textbox(label="Codes", interactive=False)
            text = "An image generated from the inferred category and codes, with the noise of seed 0"
            output = image_output("Generated from them", text, min_width=200)
    io = show_errors(infer), [path, invert], [model_input, category, code, output]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}infer")
    generated.success(*io, api_visibility="private")
