"""Two models side by side: both decode the same noise, and both reconstruct the same upload."""

import pathlib
from collections.abc import Mapping
from typing import Any

import gradio as gr

from keras_gen.runtime.description import PREPROCESSING

from .panels.conditions import class_field, classes, label_argument, selection_events
from .panels.errors import require, show_errors
from .panels.generated import add_generated
from .panels.image_components import action_button, display_image, image_grid, image_output
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix
from .panels.reconstruction import error_text
from .panels.samples import number_field, seed_field
from .panels.uploads import RULE, invert_field, read_image, upload

NOTE = (
    "Both models reconstruct images. Only a model whose codes were matched to a prior, such as a VAE, also generates: "
    "decode the same noise with both, and see which of them returns images."
)


def build_demo(first: str | pathlib.Path, second: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with a column for each of two models; endpoints `generate`, `reconstruct` and `generated`.

    Args:
        first: Export folder of the first model, such as an autoencoder.
        second: Export folder of a model that is `comparable`, such as a VAE.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        ValueError: If the models do not take the same images, noise and classes.
    """
    models = open_model(first), open_model(second)
    if not comparable(*(model.description for model in models)):
        raise ValueError(
            f"Expected two models with the same image shape, code size and classes; received {first} and {second}. "
            "Train both with the same --image-size and --set latent_size=..."
        )
    prefix = endpoint_prefix(name)
    titles = [model.description["title"] for model in models]
    shape, count = models[0].image_shape, len(classes(models[0], "generate"))

    def generate(seed, number, label):
        number, seed = int(number), int(require(seed, "Seed"))
        condition = label_argument(label, number, count)
        return [image_grid(model.generate(number, seed, **condition), columns=6) for model in models]

    def reconstruct(path, invert, label):
        image = read_image(path, models[0], invert)
        outputs = [model.reconstruct(image[None], **label_argument(label, 1))[0] for model in models]
        errors = (f"{title}: {error_text(image, output)}" for title, output in zip(titles, outputs, strict=True))
        return display_image(image), *map(display_image, outputs), "\n".join(errors)

    with gr.Blocks(title="Comparison of two models", analytics_enabled=False) as demo:
        gr.Markdown(NOTE)
        gr.Markdown("### The same noise, decoded by both")
        with gr.Row():
            seed, number = seed_field(), number_field(24)
            label = class_field(models[1], "generate", every=True)
            button = action_button("Generate")
        with gr.Row():
            grids = [image_output(title, f"Images that the {title} decodes from noise", height=460) for title in titles]
        gr.Markdown(f"### The same image, reconstructed by both\n{RULE}")
        with gr.Row():
            with gr.Column(scale=1, min_width=220):
                path, invert = upload("Image"), invert_field(shape)
                upload_label = class_field(models[1], "reconstruct")
                reconstruct_button = gr.Button("Reconstruct", variant="primary")
                generated = add_generated(models[1], [path], invert, upload_label, f"{prefix}generated")
            with gr.Column(scale=3, min_width=300):
                with gr.Row():
                    images = [
                        image_output("Model input", "The upload at the models' resolution", min_width=200),
                        *(image_output(title, f"The {title}'s reconstruction", min_width=200) for title in titles),
                    ]
                errors = gr.Textbox(label="Errors", interactive=False, lines=2)
        events = [demo.load, button.click, seed.submit, number.release, *selection_events(label)]
        gr.on(events, show_errors(generate), [seed, number, label], grids, api_name=f"{prefix}generate")
        io = show_errors(reconstruct), [path, invert, upload_label], [*images, errors]
        events = [reconstruct_button.click, path.upload, invert.input, *selection_events(upload_label)]
        gr.on(events, *io, api_name=f"{prefix}reconstruct")
        generated.success(*io, api_visibility="private")
    return demo


def comparable(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Returns whether two models take the same images, noise and classes, and read files alike.

    Args:
        first: The contents of the first model's model.json.
        second: The contents of the second model's model.json.
    """
    return all(first.get(key) == second.get(key) for key in ("image_shape", "noise", *PREPROCESSING)) and all(
        first["signatures"][endpoint]["inputs"] == second["signatures"][endpoint]["inputs"]
        for endpoint in ("generate", "reconstruct")
    )
