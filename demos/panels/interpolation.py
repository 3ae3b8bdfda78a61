"""Interpolation between two uploads: both are encoded, and codes between theirs are decoded."""

import gradio as gr
import numpy as np
from numpy.typing import ArrayLike

from keras_gen.runtime import Runtime

from .conditions import class_field, label_argument
from .errors import show_errors
from .events import on_live
from .generated import add_generated
from .image_components import display_image, image_grid, image_output
from .uploads import invert_field, read_image, upload

STEPS = 9
PATHS = [("straight line", "line"), ("arc", "arc")]


def interpolate_vectors(first: np.ndarray, second: np.ndarray, positions: ArrayLike, path: str = "line") -> np.ndarray:
    """Returns vectors between two vectors, such as codes.

    `line`: (1 - t) first + t second. `arc` (spherical): sin((1 - t) w) / sin(w) first + sin(t w) / sin(w) second, with
    w the angle between them. Vectors in the same or in opposite directions have no unique arc, and get the line.

    Args:
        first: [size].
        second: [size].
        positions: t, [num], 0 at the first and 1 at the second.
        path: `line` or `arc`; default `line`.

    Returns:
        float32 [num, size].

    Raises:
        ValueError: For another path.

    Reference:
        Shoemake 1985, Animating Rotation with Quaternion Curves; White 2016, arXiv:1609.04468, section 2.1.
    """
    if path not in ("line", "arc"):
        raise ValueError(f"Expected a path of 'line' or 'arc'; received {path!r}")
    t = np.asarray(positions, np.float64)[:, None]
    weights = 1 - t, t
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    if path == "arc" and lengths:
        angle = np.arccos(np.clip(np.dot(first, second) / lengths, -1, 1))
        if np.sin(angle) > 1e-4:
            weights = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    return (weights[0] * first + weights[1] * second).astype(np.float32)


def add_interpolation(model: Runtime, prefix: str = "") -> None:
    """Adds two uploads, a strip of images between them, and the image at one position.

    Endpoints `interpolate`, `position` and `two_generated`.

    Args:
        model: Model with the endpoints `encode` and `decode`.
        prefix: Prefix of the endpoints' names in the API.
    """

    def decode(first, second, invert, label, path, positions):
        images = np.stack([read_image(file, model, invert) for file in (first, second)])
        codes = interpolate_vectors(*model.encode(images, **label_argument(label, 2)), positions, path)
        return model.decode(codes, **label_argument(label, len(codes)))

    def interpolate(first, second, invert, label, path, steps, t):
        images = decode(first, second, invert, label, path, [*np.linspace(0, 1, int(steps)), t])
        return image_grid(images[:-1], columns=int(steps)), display_image(images[-1])

    def position(first, second, invert, label, path, t):
        if first is None or second is None:  # the slider was moved before there are images
            return None
        return display_image(decode(first, second, invert, label, path, [t])[0])

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
            image = image_output("At this position", "The image decoded at the position between the two")
    text = "Decoded images between the first and the second"
    strip = image_output("From the first to the second", text, height=140, show_label=False)
    ends = [first, second, invert, label, path]
    io = show_errors(interpolate), [*ends, steps, t], [strip, image]
    button.click(*io, api_name=f"{prefix}interpolate")
    generated.success(*io, api_visibility="private")
    on_live([t.input, t.release], position, [*ends, t], image, f"{prefix}position")
