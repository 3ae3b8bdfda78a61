"""Interpolation between two captions: the embedding follows a straight line, and the noise is constant."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .captions import caption_field, embed_caption, examples, note_field
from .errors import require, show_errors
from .events import on_live
from .image_components import action_button, display_image, image_grid, image_output
from .interpolation import STEPS, interpolate_vectors
from .samples import seed_field

NOTE = (
    "The embedding is interpolated linearly between the two captions, and the noise is constant. Features that the "
    "captions share should stay, and the others change. With GAN-INT the generator was also trained on interpolated "
    "embeddings, for which no real images exist."
)


def add_caption_walk(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Adds two captions, a strip of images between them, and the image at one position; endpoints `walk`, `position`.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with the endpoints `embed` and `generate`.
        prefix: Prefix of the endpoints' names in the API.
    """

    def generate(first, second, seed, positions):
        (start, first_note), (end, second_note) = embed_caption(model, first), embed_caption(model, second)
        embeddings = interpolate_vectors(start[0], end[0], positions)
        z = {
            name: noise.repeat(len(embeddings), 0) for name, noise in model.noise(1, int(require(seed, "Seed"))).items()
        }
        return model.generate(len(embeddings), 0, embedding=embeddings, **z), first_note, second_note

    def walk(first, second, seed, steps, t):
        images, *notes = generate(first, second, seed, [*np.linspace(0, 1, int(steps)), t])
        return image_grid(images[:-1], columns=int(steps)), display_image(images[-1]), *notes

    def position(first, second, seed, t):
        return display_image(generate(first, second, seed, [t])[0][0])

    captions = examples(model)
    gr.Markdown(NOTE)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            first, second = caption_field("From", captions[0]), caption_field("To", captions[1 % len(captions)])
            with gr.Row():
                notes = [note_field("Words of the first"), note_field("Words of the second")]
            with gr.Row():
                seed = seed_field()
                steps = gr.Slider(3, 16, value=STEPS, step=1, label="Images in the strip", min_width=160)
                button = action_button("Interpolate")
            t = gr.Slider(0, 1, value=0.5, step=0.01, label="Position")
        with gr.Column(scale=1, min_width=280):
            image = image_output("At this position", "The image generated at the position between the two captions")
    strip = image_output("From the first to the second", "Images between the first caption and the second", height=140,
                 show_label=False)  # fmt: skip
    events = [demo.load, button.click, first.submit, second.submit, seed.submit, steps.release]
    io = show_errors(walk), [first, second, seed, steps, t], [strip, image, *notes]
    gr.on(events, *io, api_name=f"{prefix}walk")
    on_live([t.input, t.release], position, [first, second, seed, t], image, f"{prefix}position")
