"""Move in latent space: a slider for each dimension that matters, from a random code or the code of an upload."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .codes import Codes, start_code
from .conditions import chosen, class_field, told
from .errors import explained, given
from .samples import LARGEST_SEED, seed_field
from .uploads import invert_field, read_image, upload
from .views import action, single, view

SLIDERS = 8


def add_sliders(demo: gr.Blocks, model: Runtime, codes: Codes, prefix: str = "") -> None:
    """Sliders and the image that their code decodes to; endpoints `start`, `another`, `start_from`, `move`.

    The dimensions without a slider keep the values of the code that one started from.

    Args:
        demo: the Blocks that this stands in.
        model: with the endpoints `generate`, `encode` and `decode`.
        codes: of the model.
        prefix: of the endpoints' names in the API.
    """
    shown = codes.active(SLIDERS)
    low, high = codes.low[shown], codes.high[shown]

    def settings(code):
        """Where the sliders stand for a code: within their range, with two digits."""
        return np.clip(np.float64(code)[shown], low, high).round(2)

    def begin(code, label):
        values = settings(code).tolist()
        return code.tolist(), *values, move(code, label, *values)

    def start(seed, label):
        return begin(start_code(model, int(given(seed, "Seed")), told(label, 1)), label)

    def another(label):
        seed = int(np.random.default_rng().integers(LARGEST_SEED + 1))
        return seed, *start(seed, label)

    def start_from(path, invert, label):
        return begin(model.encode(read_image(path, model, invert)[None], **told(label, 1))[0], label)

    def move(base, label, *values):
        code = np.zeros(codes.size, np.float32) if base is None else np.array(base, np.float32)
        # a slider that was not moved keeps the code's own value, which may lie beyond its range
        code[shown] = np.where(np.isclose(values, settings(code), atol=1e-6), code[shown], values)
        return single(model.decode(code[None], **told(label, 1))[0])

    base = gr.State()
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            with gr.Row():
                seed, label = seed_field(), class_field(model, "decode")
                button = action("Another start")
            if codes.size > SLIDERS:
                gr.Markdown(f"The {SLIDERS} of {codes.size} numbers of the code that vary most between images:")
            with gr.Row():
                sliders = [
                    gr.Slider(float(a), float(b), value=0.0, step=0.01, label=f"z[{dimension}]", min_width=260)
                    for dimension, a, b in zip(shown, low, high, strict=True)
                ]
            with gr.Accordion("Start from an image of yours", open=False):
                path, invert = upload("Image to start from"), invert_field(model.image_shape)
        with gr.Column(scale=2, min_width=300):
            image = view("Decoded image", "The image that the code decodes to", height=370)
    started = [base, *sliders, image]
    moved = [base, label, *sliders]
    gr.on([demo.load, seed.submit], explained(start), [seed, label], started, api_name=f"{prefix}start")
    button.click(explained(another), label, [seed, *started], api_name=f"{prefix}another")
    begun = explained(start_from), [path, invert, label], started
    gr.on([path.upload, invert.input], *begun, api_name=f"{prefix}start_from")
    # the small button beside a slider, which resets it, is a release and no input
    events = [event for slider in sliders for event in (slider.input, slider.release)]
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "api_name": f"{prefix}move"}
    gr.on([*events, *chosen(label)], explained(move), moved, image, **options)
