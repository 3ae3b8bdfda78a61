"""Generated images: a grid from a seed and a number."""

import gradio as gr

from .conditions import class_field, classes, label_argument, selection_events
from .errors import require, show_errors
from .image_components import action_button, image_grid, image_output
from .protocols import GeneratorWithNoise
from .truncation import RULE, truncate_noise, truncation_field

LARGEST_SEED = 2**32 - 1
MAX_IMAGES = 100


def seed_field(label: str = "Seed (Enter)", value: int = 0) -> gr.Number:
    """Returns a field for a seed, an integer from 0 to 2**32 - 1, which the visitor confirms with Enter."""
    return gr.Number(value, precision=0, minimum=0, maximum=LARGEST_SEED, label=label, min_width=130)


def number_field(value: int = 36, maximum: int = MAX_IMAGES) -> gr.Slider:
    """Returns a slider for a number of images, from 1 to `maximum`."""
    return gr.Slider(1, maximum, value=value, step=1, label="Number of images", min_width=160)


def add_samples(demo: gr.Blocks, model: GeneratorWithNoise, prefix: str = "", *, truncate: bool = False) -> None:
    """Adds fields for seed, number and class, and a grid of generated images; endpoint `generate`.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with an endpoint `generate`.
        prefix: Prefix of the endpoint's name in the API.
        truncate: Whether to add a field for the scale of the noise, see `truncate_noise`; default False.
    """
    count = len(classes(model, "generate"))

    def generate(seed, number, label, scale):
        number, seed = int(number), int(require(seed, "Seed"))
        noise = truncate_noise(model, number, seed, scale) if truncate else {}
        return image_grid(model.generate(number, seed, **noise, **label_argument(label, number, count)))

    with gr.Row():
        seed, number = seed_field(), number_field()
        label = class_field(model, "generate", every=True)
        scale = truncation_field(model) if truncate else gr.State(1.0)
        button = action_button("Generate")
    if isinstance(scale, gr.Slider):
        gr.Markdown(RULE)
    grid = image_output("Samples", "A grid of generated images", height=560, show_label=False)
    events = [demo.load, button.click, seed.submit, number.release, *selection_events(label)]
    if isinstance(scale, gr.Slider):
        events.append(scale.release)
    gr.on(events, show_errors(generate), [seed, number, label, scale], grid, api_name=f"{prefix}generate")
