"""The translation of an upload into the other domain and back, and the error of the round trip."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import show_errors
from .image_components import display_image, image_output
from .uploads import RULE, invert_field, read_image, upload

DIRECTIONS = ("a_to_b", "b_to_a")


def shape_of(model: Runtime, domain: str) -> tuple[int, int, int]:
    """Returns (height, width, channels) of the images of domain `"a"` or `"b"`."""
    other = {"a": "b", "b": "a"}[domain]
    height, width, channels = model.signatures[f"{domain}_to_{other}"]["inputs"][f"domain_{domain}"]["shape"]
    return height, width, channels


def name_of(model: Runtime, domain: str) -> str:
    """Returns the name of domain `"a"` or `"b"`, or its letter if it has no name."""
    names = model.description.get("domains")
    return names["ab".index(domain)] if names else domain.upper()


def translate_image(model: Runtime, image: np.ndarray, direction: str) -> np.ndarray:
    """Returns an image [height, width, channels] of a direction's first domain translated into the second domain."""
    source, target = (f"domain_{domain}" for domain in (direction[0], direction[-1]))
    return model.run(direction, **{source: image[None]})[target][0]


def cycle_text(image: np.ndarray, reconstruction: np.ndarray) -> str:
    """Returns the mean and largest absolute difference of two images in [0, 1] as text."""
    difference = np.abs(image.astype(np.float64) - reconstruction)
    return f"mean {difference.mean():.4f}, largest {difference.max():.4f} (of 1)"


def add_translation(model: Runtime, direction: str, prefix: str = "") -> None:
    """Adds an upload, its translation, its cycle reconstruction and the error; the direction names the endpoint.

    Args:
        model: Model with the endpoints `a_to_b` and `b_to_a`.
        direction: `a_to_b` or `b_to_a`.
        prefix: Prefix of the endpoint's name in the API.
    """
    first, second = direction[0], direction[-1]
    shape, reverse = shape_of(model, first), f"{second}_to_{first}"

    def translate(path, invert):
        image = read_image(path, model, invert, shape)
        translation = translate_image(model, image, direction)
        reconstruction = translate_image(model, translation, reverse)
        return (
            display_image(image),
            display_image(translation),
            display_image(reconstruction),
            cycle_text(image, reconstruction),
        )

    source, target = name_of(model, first), name_of(model, second)
    gr.Markdown(
        f"Upload an image of domain {source}, or any other image, although the networks were trained only on these "
        f"two sets. {RULE}"
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload(f"Image of domain {source}")
            invert = invert_field(shape)
            button = gr.Button("Translate", variant="primary")
            error = gr.Textbox(label="Cycle error", interactive=False)
        with gr.Column(scale=3, min_width=300), gr.Row():
            images = [
                image_output(f"Model input ({source})", "The upload at the model's resolution", min_width=200),
                image_output(f"As {target}", f"The upload translated into domain {target}", min_width=200),
                image_output(
                    f"Back in {source}", f"The translation, translated back into domain {source}", min_width=200
                ),
            ]
    io = show_errors(translate), [path, invert], [*images, error]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}{direction}")
