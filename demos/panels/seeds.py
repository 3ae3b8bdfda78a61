"""Interpolate between two seeds: go from one draw of the noise to the other, generate on the way."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import chosen, class_field, told
from .errors import explained, given
from .interpolation import STEPS, between
from .samples import LARGEST_SEED
from .views import action, sheet, single, view

PATHS = [("arc (spherical)", "arc"), ("straight line", "line")]
NOTE = (
    "The noise of one seed turns into that of the other; a class stays as it is. A standard normal of many dimensions "
    "lies near a sphere, and a straight line between two of its draws cuts through the inside, where the generator was "
    "never trained: so the path is an arc, unless the line is chosen. Noise of other kinds goes straight."
)


def on_the_way(model: Runtime, first: int, second: int, positions: np.ndarray, path: str) -> dict[str, np.ndarray]:
    """Noise between that of two seeds: input name -> float32 [num, *shape].

    Args:
        model: with an endpoint `generate`.
        first, second: seeds, 0 <= seed < 2**63.
        positions: [num], 0 at the first and 1 at the second.
        path: `arc` or `line`, see `between`; noise that is no standard normal always takes the line.

    Raises:
        ValueError: for another path.
    """
    ends = [model.noise(1, seed) for seed in (first, second)]
    found = {}
    for item in model.description["noise"]["inputs"]:
        one, other = (end[item["name"]].reshape(-1) for end in ends)
        way = between(one, other, positions, path)
        if item["kind"] != "normal":
            way = between(one, other, positions, "line")
        found[item["name"]] = way.reshape(-1, *item["shape"])
    return found


def add_seed_interpolation(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Two seeds, the way between them as a strip, and one place on it; endpoints `interpolate`, `position`.

    Args:
        demo: the Blocks that this stands in.
        model: with an endpoint `generate`.
        prefix: of the endpoints' names in the API.
    """

    def generated(first, second, label, path, positions):
        seeds = int(given(first, "From")), int(given(second, "To"))
        noise = on_the_way(model, *seeds, positions, path)
        return model.generate(len(positions), 0, **noise, **told(label, len(positions)))

    def interpolate(first, second, label, path, steps, t):
        images = generated(first, second, label, path, [*np.linspace(0, 1, int(steps)), t])
        return sheet(images[:-1], columns=int(steps)), single(images[-1])

    def position(first, second, label, path, t):
        return single(generated(first, second, label, path, [t])[0])

    gr.Markdown(NOTE)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                options = {"precision": 0, "minimum": 0, "maximum": LARGEST_SEED, "min_width": 110}
                first = gr.Number(0, label="From seed (Enter)", **options)
                second = gr.Number(1, label="To seed (Enter)", **options)
                label = class_field(model, "generate")
                button = action("Other seeds")
            with gr.Row():
                path = gr.Radio(PATHS, value="arc", label="Path", min_width=260)
                steps = gr.Slider(3, 16, value=STEPS, step=1, label="Images in the strip", min_width=160)
            t = gr.Slider(0, 1, value=0.5, step=0.01, label="Position")
        with gr.Column(scale=1, min_width=280):
            place = view("At this position", "The image generated at the position between the two seeds")
    text = "Generated images on the way from the first seed to the second"
    strip = view("From the first to the second", text, height=140, show_label=False)
    ends = [first, second, label, path]
    io = explained(interpolate), [*ends, steps, t], [strip, place]
    events = [demo.load, first.submit, second.submit, path.input, steps.release, *chosen(label)]
    gr.on(events, *io, api_name=f"{prefix}interpolate")
    button.click(_two_seeds, None, [first, second], api_visibility="private").success(*io, api_visibility="private")
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "api_name": f"{prefix}position"}
    gr.on([t.input, t.release], explained(position), [*ends, t], place, **options)


def _two_seeds() -> tuple[int, int]:
    return tuple(int(seed) for seed in np.random.default_rng().integers(LARGEST_SEED + 1, size=2))
