"""Draw images: a grid from a seed and a number."""

import gradio as gr

from keras_gen.runtime import Runtime

from .conditions import chosen, class_field, classes, told
from .errors import explained, given
from .truncation import RULE, truncated, truncation_field
from .views import action, sheet, view

LARGEST_SEED = 2**32 - 1
MOST = 100


def seed_field() -> gr.Number:
    """A field for a seed: a whole number from 0 to 2**32 - 1, to be confirmed with Enter."""
    return gr.Number(0, precision=0, minimum=0, maximum=LARGEST_SEED, label="Seed (Enter)", min_width=130)


def number_field(value: int = 36, most: int = MOST) -> gr.Slider:
    """A field for a number of images."""
    return gr.Slider(1, most, value=value, step=1, label="Number of images", min_width=160)


def add_samples(demo: gr.Blocks, model: Runtime, prefix: str = "", *, truncate: bool = False) -> None:
    """Fields for seed, number and class, and the grid that they give; endpoint `generate`.

    Args:
        demo: the Blocks that this stands in.
        model: any model with an endpoint `generate`.
        prefix: of the endpoint's name in the API.
        truncate: also a field for the scale of the noise, see `truncated`.
    """
    count = len(classes(model, "generate"))

    def generate(seed, number, label, scale):
        number, seed = int(number), int(given(seed, "Seed"))
        noise = truncated(model, number, seed, scale) if truncate else {}
        return sheet(model.generate(number, seed, **noise, **told(label, number, count)))

    with gr.Row():
        seed, number = seed_field(), number_field()
        label = class_field(model, "generate", every=True)
        scale = truncation_field(model) if truncate else gr.State(1.0)
        button = action("Draw")
    if isinstance(scale, gr.Slider):
        gr.Markdown(RULE)
    shown = view("Samples", "A grid of generated images", height=560, show_label=False)
    events = [demo.load, button.click, seed.submit, number.release, *chosen(label)]
    if isinstance(scale, gr.Slider):
        events.append(scale.release)
    gr.on(events, explained(generate), [seed, number, label, scale], shown, api_name=f"{prefix}generate")
