"""What a model's recognizer reads off an upload, and what its generator makes of that."""

import gradio as gr
import numpy as np

from .categories import Categories
from .codes import written
from .errors import explained
from .generated import add_generated
from .probabilities import named, probabilities_field
from .uploads import RULE, invert_field, read_image, upload
from .views import single, view


def add_guess(model: Categories, prefix: str = "") -> None:
    """A field for an image, the guessed category and codes, and an image generated from them; endpoint `infer`.

    Args:
        model: with the endpoints `infer` and `generate`.
        prefix: of the endpoint's name in the API.
    """

    def infer(path, invert):
        image = read_image(path, model.model, invert)
        guess = model.model.run("infer", image=image[None])
        category, code = guess["category"], np.clip(guess["code"], -1, 1)  # a mean may lie beyond, a code may not
        again = model.generate(1, 0, label=[int(category[0].argmax())], code=code)[0]
        return single(image), named(category[0]), written(guess["code"][0]), single(again)

    gr.Markdown(f"The recognizer guesses which category and codes the generator would have made an image from. {RULE}")
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Guess", variant="primary")
            generated = add_generated(model.model, [path], invert, gr.State(), f"{prefix}generated")
        with gr.Column(scale=3, min_width=300), gr.Row():
            sees = view("As the model sees it", "The upload in the model's size", min_width=200)
            with gr.Column(min_width=220):
                category = probabilities_field("Category", model.count)
                code = gr.Textbox(label="Codes", interactive=False)
            text = "An image generated from the guessed category and codes, with the noise of seed 0"
            again = view("From the guess", text, min_width=200)
    io = explained(infer), [path, invert], [sees, category, code, again]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}infer")
    generated.success(*io, api_visibility="private")
