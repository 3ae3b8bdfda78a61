"""An autoencoder and a VAE side by side: the same noise decoded by both, the same upload reconstructed by both."""

import pathlib

import gradio as gr

from keras_gen.runtime.description import PREPROCESSING

from .panels.conditions import chosen, class_field, classes, told
from .panels.errors import explained, given
from .panels.generated import add_generated
from .panels.limits import open_model
from .panels.reconstruction import error_text
from .panels.samples import number_field, seed_field
from .panels.uploads import RULE, invert_field, read_image, upload
from .panels.views import action, sheet, single, view

NOTE = (
    "Both reconstruct. Only the VAE's codes were shaped by a prior: decode the same noise with both, and see which of "
    "them gives images. That is why an autoencoder is no generative model."
)


def build_demo(autoencoder: str | pathlib.Path, vae: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Two columns, one for each model; endpoints `generate` and `reconstruct`, with two results each.

    Args:
        autoencoder, vae: their export folders, see `fits`.
        name: put before the names of the endpoints in the API, with an underscore.

    Raises:
        ValueError: where they do not take the same images, noise and classes.
    """
    models = open_model(autoencoder), open_model(vae)
    if not fits(*(model.description for model in models)):
        raise ValueError(
            f"{autoencoder} and {vae} cannot stand side by side: they need the same image shape, size of code and "
            "classes. Train both with the same --image-size and --set latent_size=..."
        )
    prefix = f"{name}_" if name else ""
    titles = [model.description["title"] for model in models]
    shape, count = models[0].image_shape, len(classes(models[0], "generate"))

    def generate(seed, number, label):
        number, seed = int(number), int(given(seed, "Seed"))
        return [sheet(model.generate(number, seed, **told(label, number, count)), columns=6) for model in models]

    def reconstruct(path, invert, label):
        image = read_image(path, models[0], invert)
        made = [model.reconstruct(image[None], **told(label, 1))[0] for model in models]
        errors = (f"{title}: {error_text(image, each)}" for title, each in zip(titles, made, strict=True))
        return single(image), *map(single, made), "\n".join(errors)

    with gr.Blocks(title="Autoencoder and VAE", analytics_enabled=False) as demo:
        gr.Markdown(NOTE)
        gr.Markdown("### The same noise, decoded by both")
        with gr.Row():
            seed, number = seed_field(), number_field(24)
            label = class_field(models[1], "generate", every=True)
            draw = action("Draw")
        with gr.Row():
            grids = [view(title, f"Images that the {title} decodes from noise", height=460) for title in titles]
        gr.Markdown(f"### The same image, reconstructed by both\n{RULE}")
        with gr.Row():
            with gr.Column(scale=1, min_width=220):
                path, invert = upload("Image"), invert_field(shape)
                given_class = class_field(models[1], "reconstruct")
                button = gr.Button("Reconstruct", variant="primary")
                generated = add_generated(models[1], [path], invert, given_class, f"{prefix}generated")
            with gr.Column(scale=3, min_width=300):
                with gr.Row():
                    shown = [
                        view("As the models see it", "The upload in the models' size", min_width=200),
                        *(view(title, f"The {title}'s reconstruction", min_width=200) for title in titles),
                    ]
                errors = gr.Textbox(label="Errors", interactive=False, lines=2)
        drawn = [demo.load, draw.click, seed.submit, number.release, *chosen(label)]
        gr.on(drawn, explained(generate), [seed, number, label], grids, api_name=f"{prefix}generate")
        io = explained(reconstruct), [path, invert, given_class], [*shown, errors]
        events = [button.click, path.upload, invert.input, *chosen(given_class)]
        gr.on(events, *io, api_name=f"{prefix}reconstruct")
        generated.success(*io, api_visibility="private")
    return demo


def fits(first: dict, second: dict) -> bool:
    """Whether two models (their model.json) take the same images, noise and classes, and read files alike."""
    return all(first.get(key) == second.get(key) for key in ("image_shape", "noise", *PREPROCESSING)) and all(
        first["signatures"][endpoint]["inputs"] == second["signatures"][endpoint]["inputs"]
        for endpoint in ("generate", "reconstruct")
    )
