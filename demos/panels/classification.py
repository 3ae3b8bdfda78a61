"""The category of an upload, and its style decoded in every category."""

import gradio as gr
import numpy as np

from .categories import Categories
from .errors import show_errors
from .generated import add_generated
from .image_components import display_image, image_grid, image_output
from .probabilities import probabilities_field, to_label_value
from .uploads import RULE, invert_field, read_image, upload

COLUMNS = 4


def add_classification(model: Categories, prefix: str = "") -> None:
    """Adds an upload, the probabilities of its category, and its style in every category; endpoint `classify`.

    Args:
        model: Model with the endpoints `classify`, `encode` and `decode`.
        prefix: Prefix of the endpoint's name in the API.
    """

    def classify(path, invert):
        image = read_image(path, model.model, invert)[None]
        probabilities = model.model.run("classify", image=image)["category"][0]
        styles = np.repeat(model.encode(image), model.count, axis=0)
        return (
            display_image(image[0]),
            to_label_value(probabilities),
            image_grid(model.decode(styles, label=np.arange(model.count)), columns=COLUMNS),
        )

    gr.Markdown(f"The encoder returns a category and a style. {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Classify", variant="primary")
            generated = add_generated(model.model, [path], invert, gr.State(), f"{prefix}generated_to_classify")
        with gr.Column(scale=3, min_width=300), gr.Row():
            with gr.Column(min_width=220):
                model_input = image_output("Model input", "The upload at the model's resolution", height=280)
                category = probabilities_field("Category", model.count)
            text = "Images of each category with the upload's style, category 0 first"
            styled = image_output("Its style in every category", text, height=460, min_width=300)
    io = show_errors(classify), [path, invert], [model_input, category, styled]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}classify")
    generated.success(*io, api_visibility="private")
