"""From one caption to another: the embedding goes in a straight line, the noise stays."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .captions import caption_field, examples, note_field, understood
from .errors import explained, given
from .interpolation import STEPS, between
from .samples import seed_field
from .views import action, sheet, single, view

NOTE = (
    "The code of one text turns into that of the other in a straight line, and the noise stays as it is: what the "
    "captions share should stay, and the rest change. The generator was taught the middles of two captions (GAN-INT), "
    "for which there are no real images."
)


def add_caption_walk(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Two captions, the way between them as a strip, and one place on it; endpoints `walk`, `position`.

    Args:
        demo: the Blocks that this stands in.
        model: with the endpoints `embed` and `generate`.
        prefix: of the endpoints' names in the API.
    """

    def generated(first, second, seed, positions):
        (one, first_note), (other, second_note) = understood(model, first), understood(model, second)
        embeddings = between(one[0], other[0], positions)
        z = {name: noise.repeat(len(embeddings), 0) for name, noise in model.noise(1, int(given(seed, "Seed"))).items()}
        return model.generate(len(embeddings), 0, embedding=embeddings, **z), first_note, second_note

    def walk(first, second, seed, steps, t):
        images, *notes = generated(first, second, seed, [*np.linspace(0, 1, int(steps)), t])
        return sheet(images[:-1], columns=int(steps)), single(images[-1]), *notes

    def position(first, second, seed, t):
        return single(generated(first, second, seed, [t])[0][0])

    known = examples(model)
    gr.Markdown(NOTE)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            first, second = caption_field("From", known[0]), caption_field("To", known[1 % len(known)])
            with gr.Row():
                notes = [note_field("Words of the first"), note_field("Words of the second")]
            with gr.Row():
                seed = seed_field()
                steps = gr.Slider(3, 16, value=STEPS, step=1, label="Images in the strip", min_width=160)
                button = action("Walk")
            t = gr.Slider(0, 1, value=0.5, step=0.01, label="Position")
        with gr.Column(scale=1, min_width=280):
            place = view("At this position", "The image generated at the position between the two captions")
    strip = view("From the first to the second", "Images on the way from the first caption to the second", height=140,
                 show_label=False)  # fmt: skip
    events = [demo.load, button.click, first.submit, second.submit, seed.submit, steps.release]
    io = explained(walk), [first, second, seed, steps, t], [strip, place, *notes]
    gr.on(events, *io, api_name=f"{prefix}walk")
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "api_name": f"{prefix}position"}
    gr.on([t.input, t.release], explained(position), [first, second, seed, t], place, **options)
