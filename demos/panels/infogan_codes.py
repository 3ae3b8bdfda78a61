"""Sliders for the codes that a generator was trained on, its category, and a grid of both."""

import gradio as gr
import numpy as np

from .categories import Categories
from .conditions import class_field, selection_events
from .errors import require
from .events import on_live, slider_events
from .image_components import display_image, image_grid, image_output
from .samples import seed_field

COLUMNS = 9


def add_codes(demo: gr.Blocks, model: Categories, prefix: str = "") -> None:
    """Adds sliders for codes and category, the generated image, and a grid; endpoints `image` and `grid`.

    A seed determines the rest of the noise. In the grid one code goes from -1 to 1 along the columns, the rows are the
    categories, and the other codes have the values of their sliders.

    Args:
        demo: The Blocks that contain the panel.
        model: Model whose `generate` takes z, category and code.
        prefix: Prefix of the endpoints' names in the API.
    """
    count = model.signatures["generate"]["inputs"]["code"]["shape"][0]

    def image(seed, label, *codes):
        code = np.array([codes], np.float32)
        return display_image(model.generate(1, int(require(seed, "Seed")), label=[label], code=code)[0])

    def grid(seed, along, *codes):
        rows, seed = model.count * COLUMNS, int(require(seed, "Seed"))
        z = np.repeat(model.model.noise(1, seed)["z"], rows, axis=0)
        code = np.tile(np.array(codes, np.float32), (rows, 1))
        code[:, along] = np.tile(np.linspace(-1, 1, COLUMNS), model.count)
        label = np.repeat(np.arange(model.count), COLUMNS)
        return image_grid(model.generate(rows, seed, label=label, z=z, code=code), columns=COLUMNS)

    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            with gr.Row():
                seed, label = seed_field(), class_field(model, "generate")
            sliders = [
                gr.Slider(-1, 1, value=0.0, step=0.01, label=f"code {index}", min_width=260) for index in range(count)
            ]
            single = image_output("Image", "The image of this seed, category and codes", height=330)
        with gr.Column(scale=3, min_width=320):
            names = [(f"code {index}", index) for index in range(count)]
            along = gr.Dropdown(names, value=0, label="Along the columns, from -1 to 1 (rows: categories)")
            text = "Generated images: rows are categories, columns go through one code from -1 to 1"
            grid_image = image_output("Grid", text, height=620, show_label=False)
    events = [demo.load, seed.submit, *selection_events(label), *slider_events(sliders)]
    on_live(events, image, [seed, label, *sliders], single, f"{prefix}image")
    events = [demo.load, seed.submit, along.input, *(slider.release for slider in sliders)]
    on_live(events, grid, [seed, along, *sliders], grid_image, f"{prefix}grid")
