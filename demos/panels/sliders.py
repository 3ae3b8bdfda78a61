"""Sliders for the dimensions of a code, starting from a random code or from the code of an upload."""

import gradio as gr
import numpy as np

from .codes import Codes, start_code
from .conditions import class_field, label_argument, selection_events
from .errors import require, show_errors
from .events import on_live, slider_events
from .image_components import action_button, display_image, image_output
from .protocols import LatentModel
from .samples import LARGEST_SEED, seed_field
from .uploads import invert_field, read_image, upload

SLIDERS = 8


def add_sliders(demo: gr.Blocks, model: LatentModel, codes: Codes, prefix: str = "") -> None:
    """Adds sliders and the image that their code decodes to; endpoints `start`, `another`, `start_from`, `move`.

    Dimensions without a slider keep the values of the start code.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with the endpoints `generate`, `encode` and `decode`.
        codes: The model's codes, from `measure`.
        prefix: Prefix of the endpoints' names in the API.
    """
    dimensions = codes.active(SLIDERS)
    low, high = codes.low[dimensions], codes.high[dimensions]

    def settings(code):
        """Returns the values of the sliders for a code: within their range, with two decimals."""
        return np.clip(np.asarray(code, np.float64)[dimensions], low, high).round(2)

    def begin(code, label):
        values = settings(code).tolist()
        return code.tolist(), *values, move(code, label, *values)

    def start(seed, label):
        return begin(start_code(model, int(require(seed, "Seed")), label_argument(label, 1)), label)

    def another(label):
        seed = int(np.random.default_rng().integers(LARGEST_SEED + 1))
        return seed, *start(seed, label)

    def start_from(path, invert, label):
        return begin(model.encode(read_image(path, model, invert)[None], **label_argument(label, 1))[0], label)

    def move(base, label, *values):
        code = np.zeros(codes.size, np.float32) if base is None else np.array(base, np.float32)
        # a dimension whose slider was not moved keeps the code's own value, which may lie outside the slider's range
        code[dimensions] = np.where(np.isclose(values, settings(code), atol=1e-6), code[dimensions], values)
        return display_image(model.decode(code[None], **label_argument(label, 1))[0])

    base = gr.State()
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            with gr.Row():
                seed, label = seed_field(), class_field(model, "decode")
                button = action_button("Random start")
            if codes.size > SLIDERS:
                gr.Markdown(f"The {SLIDERS} of {codes.size} dimensions of the code that vary most between images:")
            with gr.Row():
                sliders = [
                    gr.Slider(float(a), float(b), value=0.0, step=0.01, label=f"z[{dimension}]", min_width=260)
                    for dimension, a, b in zip(dimensions, low, high, strict=True)
                ]
            with gr.Accordion("Start from your own image", open=False):
                path, invert = upload("Image to start from"), invert_field(model.image_shape)
        with gr.Column(scale=2, min_width=300):
            image = image_output("Decoded image", "The image that the code decodes to", height=370)
    started = [base, *sliders, image]
    gr.on([demo.load, seed.submit], show_errors(start), [seed, label], started, api_name=f"{prefix}start")
    button.click(show_errors(another), label, [seed, *started], api_name=f"{prefix}another")
    from_upload = show_errors(start_from), [path, invert, label], started
    gr.on([path.upload, invert.input], *from_upload, api_name=f"{prefix}start_from")
    events = [*slider_events(sliders), *selection_events(label)]
    on_live(events, move, [base, label, *sliders], image, f"{prefix}move")
