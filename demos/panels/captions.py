"""Images of a caption, and the words of the caption that the model does not know."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import require, show_errors
from .image_components import action_button, image_grid, image_output
from .samples import seed_field

NUM = 8
MAX_CHARACTERS, MAX_WORDS = 40, 20  # of a word and of a list of unknown words in a message
EXAMPLES = (
    "a large striped red star in the center",
    "a medium plain blue circle at the top left",
    "a large checked green heart at the bottom right",
    "person running: dark skin tone",
    "red heart",
    "pizza",
)


def embed_caption(model: Runtime, caption: str) -> tuple[np.ndarray, str]:
    """Returns a caption's embedding [1, size], and a message about the words that the model does not read.

    Raises:
        ValueError: If the caption has no word.
    """
    reading = model.read_caption(caption or "")
    notes = []
    if reading.unknown:
        words = [word if len(word) <= MAX_CHARACTERS else f"{word[:MAX_CHARACTERS]}..." for word in reading.unknown]
        more = f" and {len(words) - MAX_WORDS} more" if len(words) > MAX_WORDS else ""
        notes.append(f"Unknown words: {', '.join(words[:MAX_WORDS])}{more}.")
    if reading.dropped:
        total = len(reading.words)
        notes.append(f"The model reads only the first {total - reading.dropped} of {total:,} words.")
    embedding = model.run("embed", tokens=model.tokenize(caption))["embedding"]
    return embedding, " ".join(notes) or "The model knows every word."


def examples(model: Runtime) -> list[str]:
    """Returns captions whose words the model knows, or one of its most frequent words if it knows none of them."""
    known = [caption for caption in EXAMPLES if not model.read_caption(caption).unknown]
    return known or [" ".join(model.description["text"]["vocabulary"][:3])]


def caption_field(label: str, value: str) -> gr.Textbox:
    """Returns a field for a caption, which the visitor confirms with Enter."""
    return gr.Textbox(value, label=f"{label} (Enter)", max_lines=3, scale=3, min_width=280)


def note_field(label: str = "Words") -> gr.Textbox:
    """Returns a field for a message about unknown words."""
    return gr.Textbox(label=label, interactive=False, max_lines=3, scale=2, min_width=220)


def add_captions(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Adds fields for a caption and a seed, and eight images of the caption; endpoint `generate`.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with the endpoints `embed` and `generate`.
        prefix: Prefix of the endpoint's name in the API.
    """

    def generate(caption, seed):
        embedding, note = embed_caption(model, caption)
        images = model.generate(NUM, int(require(seed, "Seed")), embedding=np.repeat(embedding, NUM, axis=0))
        return image_grid(images, columns=NUM // 2), note

    captions = examples(model)
    with gr.Row():
        caption, seed = caption_field("Caption", captions[0]), seed_field()
        button = action_button("Generate")
    note = note_field()
    grid = image_output("Samples", "Eight images generated from the caption", height=480, show_label=False)
    io = show_errors(generate), [caption, seed], [grid, note]
    gr.on([demo.load, button.click, caption.submit, seed.submit], *io, api_name=f"{prefix}generate")
    if len(captions) > 1:
        gr.Examples([[text] for text in captions], [caption], label="Captions to try")
