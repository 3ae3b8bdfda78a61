"""Translate an upload into the other domain and back again, and see how far it comes back."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import explained
from .uploads import RULE, invert_field, read_image, upload
from .views import single, view

DIRECTIONS = ("a_to_b", "b_to_a")


def shape_of(model: Runtime, domain: str) -> tuple[int, ...]:
    """(height, width, channels) of the images of domain `"a"` or `"b"`."""
    other = {"a": "b", "b": "a"}[domain]
    return tuple(model.signatures[f"{domain}_to_{other}"]["inputs"][f"domain_{domain}"]["shape"])


def name_of(model: Runtime, domain: str) -> str:
    """What domain `"a"` or `"b"` is called: its name, or its letter where it has none."""
    names = model.description.get("domains")
    return names["ab".index(domain)] if names else domain.upper()


def translated(model: Runtime, image: np.ndarray, direction: str) -> np.ndarray:
    """One image [height, width, channels] of the first domain of a direction -> one of the second."""
    given, made = (f"domain_{domain}" for domain in (direction[0], direction[-1]))
    return model.run(direction, **{given: image[None]})[made][0]


def cycle_text(image: np.ndarray, back: np.ndarray) -> str:
    """Mean and largest absolute difference of two images in [0, 1], as text."""
    difference = np.abs(image.astype(np.float64) - back)
    return f"mean {difference.mean():.4f}, largest {difference.max():.4f} (of 1)"


def add_translation(model: Runtime, direction: str, prefix: str = "") -> None:
    """A field for an image, its translation, the way back and its error; an endpoint of the direction's name.

    Args:
        model: with the endpoints `a_to_b` and `b_to_a`.
        direction: one of them.
        prefix: of the endpoint's name in the API.
    """
    first, second = direction[0], direction[-1]
    shape, reverse = shape_of(model, first), f"{second}_to_{first}"

    def translate(path, invert):
        image = read_image(path, model, invert, shape)
        made = translated(model, image, direction)
        back = translated(model, made, reverse)
        return single(image), single(made), single(back), cycle_text(image, back)

    there, here = name_of(model, second), name_of(model, first)
    gr.Markdown(
        f"Upload an image of domain {here}, or any other: the networks know these two sets alone, and make the best "
        f"of it. {RULE}"
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=220):
            path = upload(f"Image of domain {here}")
            invert = invert_field(shape)
            button = gr.Button("Translate", variant="primary")
            error = gr.Textbox(label="Cycle error", interactive=False)
        with gr.Column(scale=3, min_width=300), gr.Row():
            shown = [
                view(f"{here}, as the model sees it", "The upload in the model's size", min_width=200),
                view(f"As {there}", f"The upload translated into domain {there}", min_width=200),
                view(f"Back in {here}", f"The translation, translated back into domain {here}", min_width=200),
            ]
    io = explained(translate), [path, invert], [*shown, error]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}{direction}")
