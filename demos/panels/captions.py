"""Type a caption: samples of it, and what of it was not understood."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .errors import explained, given
from .samples import seed_field
from .views import action, sheet, view

NUM = 8
LONGEST = 40, 20  # characters of a word, and words, that a note shows
EXAMPLES = (
    "a large striped red star in the center",
    "a medium plain blue circle at the top left",
    "a large checked green heart at the bottom right",
    "person running: dark skin tone",
    "red heart",
    "pizza",
)


def understood(model: Runtime, caption: str) -> tuple[np.ndarray, str]:
    """A caption's embedding [1, size], and what of the caption is lost, as a text for the person.

    Raises:
        ValueError: for a caption without a word.
    """
    reading = model.read_caption(caption or "")
    notes = []
    if reading.unknown:
        words = [word if len(word) <= LONGEST[0] else f"{word[: LONGEST[0]]}..." for word in reading.unknown]
        more = f" and {len(words) - LONGEST[1]} more" if len(words) > LONGEST[1] else ""
        notes.append(f"Not known: {', '.join(words[: LONGEST[1]])}{more}.")
    if reading.dropped:
        total = len(reading.words)
        notes.append(f"Only the first {total - reading.dropped} of {total:,} words are read.")
    embedding = model.run("embed", tokens=model.tokenize(caption))["embedding"]
    return embedding, " ".join(notes) or "Every word is known."


def examples(model: Runtime) -> list[str]:
    """Captions whose words the model knows; its most frequent words where it knows none of ours."""
    known = [caption for caption in EXAMPLES if not model.read_caption(caption).unknown]
    return known or [" ".join(model.description["text"]["vocabulary"][:3])]


def caption_field(label: str, value: str) -> gr.Textbox:
    """A field for a caption, to be confirmed with Enter."""
    return gr.Textbox(value, label=f"{label} (Enter)", max_lines=3, scale=3, min_width=280)


def note_field(label: str = "Words") -> gr.Textbox:
    """A field that says what was not understood."""
    return gr.Textbox(label=label, interactive=False, max_lines=3, scale=2, min_width=220)


def add_captions(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """A caption and a seed, and eight samples of it; endpoint `generate`.

    Args:
        demo: the Blocks that this stands in.
        model: with the endpoints `embed` and `generate`.
        prefix: of the endpoint's name in the API.
    """

    def generate(caption, seed):
        embedding, note = understood(model, caption)
        images = model.generate(NUM, int(given(seed, "Seed")), embedding=np.repeat(embedding, NUM, axis=0))
        return sheet(images, columns=NUM // 2), note

    known = examples(model)
    with gr.Row():
        caption, seed = caption_field("Caption", known[0]), seed_field()
        button = action("Draw")
    note = note_field()
    shown = view("Samples", "Eight images that the caption gave", height=480, show_label=False)
    io = explained(generate), [caption, seed], [shown, note]
    gr.on([demo.load, button.click, caption.submit, seed.submit], *io, api_name=f"{prefix}generate")
    if len(known) > 1:
        gr.Examples([[text] for text in known], [caption], label="Captions to try")
