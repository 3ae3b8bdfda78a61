"""Which category an upload falls into, and its style written in every category."""

import gradio as gr
import numpy as np

from .categories import Categories
from .errors import explained
from .generated import add_generated
from .probabilities import named, probabilities_field
from .uploads import RULE, invert_field, read_image, upload
from .views import sheet, single, view

COLUMNS = 4


def add_classification(model: Categories, prefix: str = "") -> None:
    """A field for an image, the probabilities of its category, and its style in every category; endpoint `classify`.

    Args:
        model: with the endpoints `classify`, `encode` and `decode`.
        prefix: of the endpoint's name in the API.
    """

    def classify(path, invert):
        image = read_image(path, model.model, invert)[None]
        probabilities = model.model.run("classify", image=image)["category"][0]
        styles = np.repeat(model.encode(image), model.count, axis=0)
        return (
            single(image[0]),
            named(probabilities),
            sheet(model.decode(styles, label=np.arange(model.count)), columns=COLUMNS),
        )

    gr.Markdown(f"The encoder gives a category and a style. {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Classify", variant="primary")
            generated = add_generated(model.model, [path], invert, gr.State(), f"{prefix}generated_to_classify")
        with gr.Column(scale=3, min_width=300), gr.Row():
            with gr.Column(min_width=220):
                sees = view("As the model sees it", "The upload in the model's size", height=280)
                found = probabilities_field("Category", model.count)
            text = "Images of each category with the upload's style, category 0 first"
            styled = view("Its style in every category", text, height=460, min_width=300)
    io = explained(classify), [path, invert], [sees, found, styled]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}classify")
    generated.success(*io, api_visibility="private")
