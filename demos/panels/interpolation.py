"""Interpolate between two uploads: encode both, go from one code to the other, decode on the way."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import class_field, told
from .errors import explained
from .generated import add_generated
from .uploads import invert_field, read_image, upload
from .views import sheet, single, view

STEPS = 9
PATHS = [("straight line", "line"), ("arc", "arc")]


def between(first: np.ndarray, second: np.ndarray, positions: np.ndarray, path: str = "line") -> np.ndarray:
    """Codes on the way from one code to another.

    `line`: (1 - t) first + t second. `arc` (spherical): sin((1 - t) w) / sin(w) first + sin(t w) / sin(w) second, with
    w the angle between them; where they point the same or opposite ways, which leaves the arc open, the line.

    Args:
        first, second: [size].
        positions: t, [num], 0 at the first and 1 at the second.
        path: `line` or `arc`.

    Returns:
        float32 [num, size].

    Raises:
        ValueError: for another path.

    Reference:
        Shoemake 1985, Animating Rotation with Quaternion Curves; White 2016, arXiv:1609.04468, section 2.1.
    """
    if path not in ("line", "arc"):
        raise ValueError(f"Unknown path {path!r}: expected 'line' or 'arc'")
    t = np.asarray(positions, np.float64)[:, None]
    weights = 1 - t, t
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    if path == "arc" and lengths:
        angle = np.arccos(np.clip(np.dot(first, second) / lengths, -1, 1))
        if np.sin(angle) > 1e-4:
            weights = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    return (weights[0] * first + weights[1] * second).astype(np.float32)


def add_interpolation(model: Runtime, prefix: str = "") -> None:
    """Fields for two images, the way between them as a strip, and one place on it; endpoints `interpolate`, `position`.

    Args:
        model: with the endpoints `encode` and `decode`.
        prefix: of the endpoints' names in the API.
    """

    def decoded(first, second, invert, label, path, positions):
        images = np.stack([read_image(file, model, invert) for file in (first, second)])
        codes = between(*model.encode(images, **told(label, 2)), positions, path)
        return model.decode(codes, **told(label, len(codes)))

    def interpolate(first, second, invert, label, path, steps, t):
        images = decoded(first, second, invert, label, path, [*np.linspace(0, 1, int(steps)), t])
        return sheet(images[:-1], columns=int(steps)), single(images[-1])

    def position(first, second, invert, label, path, t):
        if first is None or second is None:  # moved before there are images: nothing to show, nothing to complain of
            return None
        return single(decoded(first, second, invert, label, path, [t])[0])

    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                first, second = upload("From"), upload("To")
            with gr.Row():
                path = gr.Radio(PATHS, value="line", label="Path", min_width=200)
                steps = gr.Slider(3, 16, value=STEPS, step=1, label="Images in the strip", min_width=160)
            invert, label = invert_field(model.image_shape), class_field(model, "decode")
            with gr.Row():
                button = gr.Button("Interpolate", variant="primary")
                generated = add_generated(model, [first, second], invert, label, f"{prefix}two_generated")
        with gr.Column(scale=1, min_width=280):
            t = gr.Slider(0, 1, value=0.5, step=0.01, label="Position")
            place = view("At this position", "The image decoded at the position between the two")
    text = "Decoded images on the way from the first to the second"
    strip = view("From the first to the second", text, height=140, show_label=False)
    given = [first, second, invert, label, path]
    io = explained(interpolate), [*given, steps, t], [strip, place]
    button.click(*io, api_name=f"{prefix}interpolate")
    generated.success(*io, api_visibility="private")
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "api_name": f"{prefix}position"}
    gr.on([t.input, t.release], explained(position), [*given, t], place, **options)
