"""Interpolation between two seeds: images are generated from noise between that of the seeds."""

import gradio as gr
import numpy as np
from numpy.typing import ArrayLike

from keras_gen.runtime import Runtime

from .conditions import class_field, label_argument, selection_events
from .errors import require, show_errors
from .events import on_live
from .image_components import action_button, display_image, image_grid, image_output
from .interpolation import STEPS, interpolate_vectors
from .samples import LARGEST_SEED, seed_field

PATHS = [("arc (spherical)", "arc"), ("straight line", "line")]
NOTE = (
    "The noise is interpolated between two seeds, and the class is constant. Standard-normal noise of many dimensions "
    "lies near a sphere, and a straight line between two samples crosses the interior, where the generator was never "
    "trained. The default path is therefore an arc. Other kinds of noise are interpolated linearly."
)


def interpolate_noise(
    model: Runtime, first: int, second: int, positions: ArrayLike, path: str
) -> dict[str, np.ndarray]:
    """Returns noise between that of two seeds: input name -> float32 [num, *shape].

    Args:
        model: Model with an endpoint `generate`.
        first: Seed, 0 <= seed < 2**63.
        second: Seed, 0 <= seed < 2**63.
        positions: [num], 0 at the first and 1 at the second.
        path: `arc` or `line`, see `interpolate_vectors`; noise that is not standard normal always takes the line.

    Raises:
        ValueError: For another path.
    """
    ends = [model.noise(1, seed) for seed in (first, second)]
    interpolated = {}
    for item in model.description["noise"]["inputs"]:
        start, stop = (end[item["name"]].reshape(-1) for end in ends)
        vectors = interpolate_vectors(start, stop, positions, path)
        if item["kind"] != "normal":
            vectors = interpolate_vectors(start, stop, positions, "line")
        interpolated[item["name"]] = vectors.reshape(-1, *item["shape"])
    return interpolated


def add_seed_interpolation(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Adds two seeds, a strip of images between them, and the image at one position.

    Endpoints `interpolate` and `position`.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with an endpoint `generate`.
        prefix: Prefix of the endpoints' names in the API.
    """

    def generate(first, second, label, path, positions):
        seeds = int(require(first, "From")), int(require(second, "To"))
        noise = interpolate_noise(model, *seeds, positions, path)
        return model.generate(len(positions), 0, **noise, **label_argument(label, len(positions)))

    def interpolate(first, second, label, path, steps, t):
        images = generate(first, second, label, path, [*np.linspace(0, 1, int(steps)), t])
        return image_grid(images[:-1], columns=int(steps)), display_image(images[-1])

    def position(first, second, label, path, t):
        return display_image(generate(first, second, label, path, [t])[0])

    gr.Markdown(NOTE)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                first, second = seed_field("From seed (Enter)"), seed_field("To seed (Enter)", value=1)
                label = class_field(model, "generate")
                button = action_button("Random seeds")
            with gr.Row():
                path = gr.Radio(PATHS, value="arc", label="Path", min_width=260)
                steps = gr.Slider(3, 16, value=STEPS, step=1, label="Images in the strip", min_width=160)
            t = gr.Slider(0, 1, value=0.5, step=0.01, label="Position")
        with gr.Column(scale=1, min_width=280):
            image = image_output("At this position", "The image generated at the position between the two seeds")
    text = "Generated images between the first seed and the second"
    strip = image_output("From the first to the second", text, height=140, show_label=False)
    ends = [first, second, label, path]
    io = show_errors(interpolate), [*ends, steps, t], [strip, image]
    events = [demo.load, first.submit, second.submit, path.input, steps.release, *selection_events(label)]
    gr.on(events, *io, api_name=f"{prefix}interpolate")
    button.click(_two_seeds, None, [first, second], api_visibility="private").success(*io, api_visibility="private")
    on_live([t.input, t.release], position, [*ends, t], image, f"{prefix}position")


def _two_seeds() -> tuple[int, int]:
    first, second = np.random.default_rng().integers(LARGEST_SEED + 1, size=2)
    return int(first), int(second)
