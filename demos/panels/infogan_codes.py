"""Set the codes that a generator was trained to keep: sliders, the category, and a grid of both."""

import gradio as gr
import numpy as np

from .categories import Categories
from .conditions import class_field
from .errors import explained, given
from .samples import seed_field
from .views import sheet, single, view

COLUMNS = 9


def add_codes(demo: gr.Blocks, model: Categories, prefix: str = "") -> None:
    """A slider for each code and the category, the image they give, and a grid; endpoints `image` and `grid`.

    The noise beside them is that of a seed. In the grid one code goes from -1 to 1 along the columns, the rows are the
    categories, and the other codes stand where their sliders do.

    Args:
        demo: the Blocks that this stands in.
        model: whose `generate` takes z, category and code.
        prefix: of the endpoints' names in the API.
    """
    count = model.signatures["generate"]["inputs"]["code"]["shape"][0]

    def image(seed, label, *codes):
        code = np.array([codes], np.float32)
        return single(model.generate(1, int(given(seed, "Seed")), label=[label], code=code)[0])

    def grid(seed, along, *codes):
        rows, seed = model.count * COLUMNS, int(given(seed, "Seed"))
        z = np.repeat(model.model.noise(1, seed)["z"], rows, axis=0)
        code = np.tile(np.array(codes, np.float32), (rows, 1))
        code[:, along] = np.tile(np.linspace(-1, 1, COLUMNS), model.count)
        label = np.repeat(np.arange(model.count), COLUMNS)
        return sheet(model.generate(rows, seed, label=label, z=z, code=code), columns=COLUMNS)

    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            with gr.Row():
                seed, label = seed_field(), class_field(model, "generate")
            sliders = [
                gr.Slider(-1, 1, value=0.0, step=0.01, label=f"code {index}", min_width=260) for index in range(count)
            ]
            shown = view("Image", "The image of this seed, category and codes", height=330)
        with gr.Column(scale=3, min_width=320):
            names = [(f"code {index}", index) for index in range(count)]
            along = gr.Dropdown(names, value=0, label="Along the columns, from -1 to 1 (rows: categories)")
            text = "Generated images: rows are categories, columns go through one code from -1 to 1"
            sheets = view("Grid", text, height=620, show_label=False)
    quiet = {"show_progress": "hidden", "trigger_mode": "always_last"}
    moved = [event for slider in sliders for event in (slider.input, slider.release)]
    events = [demo.load, seed.submit, label.input, *moved]
    gr.on(events, explained(image), [seed, label, *sliders], shown, api_name=f"{prefix}image", **quiet)
    events = [demo.load, seed.submit, along.input, *(slider.release for slider in sliders)]
    gr.on(events, explained(grid), [seed, along, *sliders], sheets, api_name=f"{prefix}grid", **quiet)
