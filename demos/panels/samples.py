"""Draw images: a grid from a seed and a number."""

import gradio as gr

from keras_gen.export.runtime import Runtime

from .conditions import chosen, class_field, classes, told
from .errors import explained, given
from .views import action, sheet, view

LARGEST_SEED = 2**32 - 1
MOST = 100


def seed_field() -> gr.Number:
    """A field for a seed: a whole number from 0 to 2**32 - 1, to be confirmed with Enter."""
    return gr.Number(0, precision=0, minimum=0, maximum=LARGEST_SEED, label="Seed (Enter)", min_width=130)


def number_field(value: int = 36, most: int = MOST) -> gr.Slider:
    """A field for a number of images."""
    return gr.Slider(1, most, value=value, step=1, label="Number of images", min_width=160)


def add_samples(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Fields for seed, number and class, and the grid that they give; endpoint `generate`.

    Args:
        demo: the Blocks that this stands in.
        model: any model with an endpoint `generate`.
        prefix: of the endpoint's name in the API.
    """
    count = len(classes(model, "generate"))

    def generate(seed, number, label):
        number = int(number)
        return sheet(model.generate(number, int(given(seed, "Seed")), **told(label, number, count)))

    with gr.Row():
        seed, number = seed_field(), number_field()
        label = class_field(model, "generate", every=True)
        button = action("Draw")
    shown = view("Samples", "A grid of generated images", height=560, show_label=False)
    gr.on(
        [demo.load, button.click, seed.submit, number.release, *chosen(label)],
        explained(generate),
        [seed, number, label],
        shown,
        api_name=f"{prefix}generate",
    )
